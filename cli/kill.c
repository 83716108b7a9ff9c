#include "cli/container_process.h"
#include "cli/each.h"
#include "runtime/signals.h"

#include "base/cleanup.h"

#include <signal.h>

struct options {
	const char *signal;
};

static const struct option_row rows[] = {
	{ 's', "signal", "SIGNAL", "which one, by name or number [KILL]",
	  OPTION_TEXT, offsetof(struct options, signal) },
};

static int kill_one(const struct each *each, const char *ref,
		    struct img_err *err)
{
	const struct options *o = each->values;
	img_auto(container_row_release) struct container_row row = { 0 };
	int sig = o->signal ? signals_parse(o->signal) : SIGKILL;
	int r = container_find(each->store, ref, &row, err);

	if (r == 0)
		r = container_process_signal(each->store, &row, sig, err);
	if (r == 0)
		return img_err_set(err, IMG_E_NOT_FOUND, 0,
				   "it is not running");
	if (r > 0)
		(void)printf("%s\n", ref);
	return r < 0 ? r : 0;
}

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	const struct options *o = values;
	struct each each = { .values = values,
			     .doing = "kill",
			     .fn = kill_one };

	if (o->signal && signals_parse(o->signal) == 0)
		return img_err_set(err, IMG_E_INPUT, 0, "'%s' is not a signal",
				   o->signal);
	return each_argument(cli, &each, argc, argv, err);
}

const struct verb verb_kill = {
	.name = "kill",
	.arguments = "CONTAINER [CONTAINER...]",
	.summary = "Send a signal to the first process of containers",
	.options = VERB_OPTIONS(rows),
	.values_size = sizeof(struct options),
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
