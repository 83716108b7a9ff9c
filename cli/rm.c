#include "base/cleanup.h"
#include "cli/container_process.h"
#include "cli/each.h"

struct options {
	bool force, volumes;
};

static const struct option_row rows[] = {
	{ 'f', "force", NULL, "kill a running container first", OPTION_FLAG,
	  offsetof(struct options, force) },
	{ 'v', "volumes", NULL, "and its anonymous volumes", OPTION_FLAG,
	  offsetof(struct options, volumes) },
};

static int remove_one(const struct each *each, const char *ref,
		      struct img_err *err)
{
	const struct options *o = each->values;
	struct store *store = each->store;
	img_auto(container_row_release) struct container_row row = { 0 };
	struct img_err missing = { 0 };
	int r = container_find(store, ref, &row, &missing);

	if (r == -IMG_E_NOT_FOUND && o->force)
		return 0; /* gone is gone */
	if (r < 0) {
		*err = missing;
		return r;
	}
	r = container_is_running(store, &row, err);
	if (r > 0 && !o->force)
		return img_err_set(err, IMG_E_BUSY, 0,
				   "it is running: stop it first, or use -f");
	if (r > 0)
		r = container_process_kill(store, &row, err);
	if (r == 0)
		r = store_need_pool(store, err);
	if (r < 0)
		return r;
	r = container_remove(store, &row, NULL, o->volumes, &missing);
	/* It ran with --rm, and went by itself. */
	if (r < 0 && r != -IMG_E_NOT_FOUND) {
		*err = missing;
		return r;
	}
	(void)printf("%s\n", ref);
	return 0;
}

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	struct each each = { .values = values,
			     .doing = "remove",
			     .fn = remove_one };

	return each_argument(cli, &each, argc, argv, err);
}

const struct verb verb_rm = {
	.name = "rm",
	.arguments = "CONTAINER [CONTAINER...]",
	.summary = "Remove containers with their snapshots, and give the "
		   "space back",
	.options = VERB_OPTIONS(rows),
	.values_size = sizeof(struct options),
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
