#include "base/cleanup.h"
#include "base/num.h"
#include "cli/container.h"
#include "cli/each.h"
#include "storage/orphans.h"
#include "storage/reclaim.h"

#include <inttypes.h>

struct options {
	bool dry_run;
};

static const struct option_row rows[] = {
	{ 'n', "dry-run", NULL, "only say what would go, and why", OPTION_FLAG,
	  offsetof(struct options, dry_run) },
};

struct gc {
	struct store *store;
	bool dry_run;
	struct img_err *err; /* the last failure */
};

/* One thing that goes, or does not: neither hinders the others. */
static void tell(struct gc *gc, const char *what, const char *why, int r,
		 const struct img_err *one)
{
	if (r >= 0) {
		(void)printf("%s %s: %s\n",
			     gc->dry_run ? "would remove" : "removed", what,
			     why);
		return;
	}
	each_failed(gc->err, one);
	(void)img_err_prefix(gc->err, "cannot remove %s", what);
}

static void collect_orphans(struct gc *gc)
{
	img_auto(volume_ids_release) struct volume_ids ids = { 0 };
	struct img_err one = { 0 };
	int r = orphans_find(gc->store, &ids, &one);

	if (r < 0)
		tell(gc, "orphans", "", r, &one);
	for (size_t i = 0; r == 0 && i < ids.n; i++) {
		struct img_err failed = { 0 };
		char name[32];

		(void)snprintf(name, sizeof(name), "volume %" PRIu32,
			       ids.id[i]);
		tell(gc, name,
		     "in the pool, but no image, container or snapshot has it",
		     gc->dry_run
			     ? 0
			     : orphans_remove(gc->store, ids.id[i], &failed),
		     &failed);
	}
}

static void collect_missing(struct gc *gc)
{
	img_auto(volume_ids_release) struct volume_ids ids = { 0 };
	struct img_err one = { 0 };
	int r = orphans_find_missing(gc->store, &ids, &one);

	if (r < 0)
		tell(gc, "rows without a volume", "", r, &one);
	for (size_t i = 0; r == 0 && i < ids.n; i++) {
		struct img_err failed = { 0 };
		char name[48];

		(void)snprintf(name, sizeof(name), "the row of volume %" PRIu32,
			       ids.id[i]);
		tell(gc, name, "the pool has no such volume",
		     gc->dry_run
			     ? 0
			     : orphans_forget(gc->store, ids.id[i], &failed),
		     &failed);
	}
}

static int collect_dir(void *self, const char *id, struct img_err *err)
{
	struct gc *gc = self;
	struct img_err failed = { 0 };
	char name[128];

	(void)snprintf(name, sizeof(name), "containers/%s", id);
	tell(gc, name, "there is no such container",
	     gc->dry_run ? 0 : container_dir_remove(gc->store, id, &failed),
	     &failed);
	return 0;
}

/* Last, since it takes the pool down. */
static void collect_space(struct gc *gc)
{
	char size[SIZE_TEXT_MAX];
	struct img_err one = { 0 };
	uint64_t bytes = 0, given = 0;
	int r = reclaim_look(gc->store, &bytes, &one);

	if (r == 0 && bytes == 0)
		return;
	if (r == 0 && !gc->dry_run)
		r = reclaim_unused(gc->store, &given, &one);
	if (r == -IMG_E_BUSY) {
		(void)printf("left %s of the host's: not in use in the pool, "
			     "but only given back while no container runs\n",
			     num_format_size(bytes, size));
		return;
	}
	if (r < 0) {
		tell(gc, "unused space", "", r, &one);
		return;
	}
	(void)printf("%s %s to the host: not in use in the pool\n",
		     gc->dry_run ? "would give back" : "gave back",
		     num_format_size(bytes, size));
}

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	const struct options *o = values;
	img_auto(store_close) struct store *store = NULL;
	struct gc gc = { .dry_run = o->dry_run, .err = err };
	struct img_err one = { 0 };
	int r = cli_open_store(cli, false, &store, err);

	if (r == 0)
		r = store_need_pool(store, err);
	if (r < 0)
		return r;
	gc.store = store;
	collect_orphans(&gc);
	collect_missing(&gc);
	r = container_dirs_stray(store, collect_dir, &gc, &one);
	if (r < 0)
		tell(&gc, "directories of containers", "", r, &one);
	collect_space(&gc);
	return -(int)err->code;
}

const struct verb verb_gc = {
	.name = "gc",
	.arguments = "",
	.summary = "Collect what no object has: volumes, directories, space",
	.description =
		"Nothing of that needs to be collected by hand to be safe: "
		"what a crash leaves is\nseen to by the next command, and "
		"orphans when the pool comes up. Each item is\nindependent of "
		"the others, and named with its reason.",
	.options = VERB_OPTIONS(rows),
	.values_size = sizeof(struct options),
	.run = run,
};
