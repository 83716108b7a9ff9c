#include "base/cleanup.h"
#include "cli/container_volumes.h"
#include "cli/each.h"
#include "cli/event.h"

#include <stdio.h>

struct options {
	bool force;
};

static const struct option_row rows[] = {
	{ 'f', "force", NULL, "one that is not there is no failure",
	  OPTION_FLAG, offsetof(struct options, force) },
};

static int refuse_used(struct store *store, const char *name,
		       struct img_err *err)
{
	img_auto(img_mem_release) char *users = NULL;
	int r = container_volumes_user_names(store, name, &users, err);

	if (r < 0 || !users)
		return r;
	return img_err_set(err, IMG_E_BUSY, 0,
			   "it is in use by %s: remove that first", users);
}

static int remove_one(const struct each *each, const char *name,
		      struct img_err *err)
{
	const struct options *o = each->values;
	img_auto(named_volume_release) struct named_volume named = { 0 };
	struct img_err missing = { 0 };
	int r = named_volume_find(each->store, name, &named, &missing);

	if (r == -IMG_E_NOT_FOUND && o->force)
		return 0; /* gone is gone */
	if (r < 0) {
		*err = missing;
		return r;
	}
	r = refuse_used(each->store, name, err);
	if (r == 0)
		r = named_volume_remove(each->store, &named, err);
	if (r < 0)
		return r;
	event_write_volume(each->store, "destroy", name, NULL);
	(void)printf("%s\n", name);
	return 0;
}

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	struct each each = { .values = values,
			     .doing = "remove the volume",
			     .fn = remove_one };

	return each_argument(cli, &each, argc, argv, err);
}

const struct verb verb_volume_rm = {
	.name = "volume rm",
	.arguments = "VOLUME [VOLUME...]",
	.summary = "Remove volumes with all that is in them",
	.description = "One that a container has, running or not, is not "
		       "removed.",
	.options = VERB_OPTIONS(rows),
	.values_size = sizeof(struct options),
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
