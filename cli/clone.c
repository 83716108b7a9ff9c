#include "base/cleanup.h"
#include "cli/container.h"
#include "cli/verb.h"

struct options {
	const char *name;
};

static const struct option_row rows[] = {
	{ 0, "name", "NAME", "name of the new container [made up]", OPTION_TEXT,
	  offsetof(struct options, name) },
};

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	const struct options *o = values;
	img_auto(container_row_release) struct container_row from = { 0 };
	img_auto(store_close) struct store *store = NULL;
	const char *name = argc > 1 ? argv[1] : o->name;
	struct id id;
	int r = 0;

	if (argc > 1 && o->name)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "the name is given twice: '%s' and '%s'",
				   argv[1], o->name);
	if (name)
		r = container_name_check(name, err);
	if (r == 0)
		r = cli_open_container(cli, argv[0], &store, &from, err);
	if (r < 0)
		return r;
	r = container_clone(store, &from, name, &id, err);
	if (r < 0)
		return img_err_prefix(err, "cannot clone %s", from.name);
	(void)printf("%s\n", id.hex);
	return 0;
}

const struct verb verb_clone = {
	.name = "clone",
	.arguments = "CONTAINER [NAME]",
	.summary = "Make a new container of a container, with its whole state",
	.description =
		"Its file system and its configuration are just the other's; "
		"id, name and times are\nits own. Copies no data. A running "
		"container's file system is frozen for the\ninstant of the "
		"snapshot; the clone does not run until it is started. Its "
		"own\nsnapshots are not cloned.",
	.options = VERB_OPTIONS(rows),
	.values_size = sizeof(struct options),
	.min_args = 1,
	.max_args = 2,
	.run = run,
};
