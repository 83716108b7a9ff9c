#include "base/cleanup.h"
#include "cli/container_process.h"
#include "cli/each.h"
#include "cli/event.h"
#include "cli/snapshots.h"

struct options {
	bool force, volumes;
};

static const struct option_row rows[] = {
	{ 'f', "force", NULL, "kill a running container first", OPTION_FLAG,
	  offsetof(struct options, force) },
	{ 'v', "volumes", NULL,
	  "and its anonymous volumes, of which there are none", OPTION_FLAG,
	  offsetof(struct options, volumes) },
};

static int remove_rows(struct store *store, const struct container_row *row,
		       struct volume_pending *pending,
		       struct snapshots_gone *snapshots, struct img_err *err)
{
	img_auto(db_txn_release) struct db *txn = NULL;
	int r = db_begin(store_db(store), false, err);

	if (r < 0)
		return r;
	txn = store_db(store);
	r = snapshots_begin_delete(store, row, snapshots, err);
	if (r == 0)
		r = container_delete(store, row, err);
	if (r == 0)
		r = volume_begin_delete(store, row->volume.id, pending, err);
	/* While there is a row: else nobody would know whose it was. */
	if (r == 0)
		r = container_files_remove(store, row, err);
	if (r == 0)
		r = db_commit(store_db(store), err);
	if (r < 0) {
		db_rollback(store_db(store));
		snapshots_gone_release(snapshots);
	}
	if (r < 0 && pending->store)
		volume_keep(pending);
	return r;
}

static int remove_one(const struct each *each, const char *ref,
		      struct img_err *err)
{
	const struct options *o = each->values;
	struct store *store = each->store;
	img_auto(volume_pending_release) struct volume_pending gone = { 0 };
	img_auto(
		snapshots_gone_release) struct snapshots_gone snapshots = { 0 };
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
	r = remove_rows(store, &row, &gone, &snapshots, &missing);
	if (r < 0 && r != -IMG_E_NOT_FOUND) {
		*err = missing;
		return r;
	}
	if (r == 0) { /* else it ran with --rm, and went by itself */
		r = snapshots_finish_delete(&snapshots, err);
		if (r == 0)
			r = volume_finish_delete(&gone, err);
	}
	if (r < 0 && r != -IMG_E_NOT_FOUND)
		return r;
	if (r == 0)
		event_write(store, "destroy", &row);
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
