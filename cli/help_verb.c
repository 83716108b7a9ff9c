#include "cli/help.h"

struct help_options {
	bool man;
};

static const struct option_row rows[] = {
	{ 0, "man", NULL, "print the whole manual page, for man(1)",
	  OPTION_FLAG, offsetof(struct help_options, man) },
};

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	const struct help_options *o = values;
	const struct verb *verb;

	if (o->man) {
		help_man(stdout);
		return 0;
	}
	if (argc == 0) {
		help_all(stdout);
		return 0;
	}
	if (verb_find(argv, &verb) != argc)
		return verb_missing(argv, err);
	help_verb(stdout, verb);
	return 0;
}

const struct verb verb_help = {
	.name = "help",
	.arguments = "[VERB]",
	.summary = "Show help, for all verbs or for one",
	.options = VERB_OPTIONS(rows),
	.values_size = sizeof(struct help_options),
	.max_args = 2,
	.run = run,
};
