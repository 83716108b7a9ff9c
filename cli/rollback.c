#include "base/cleanup.h"
#include "cli/snapshots.h"
#include "cli/verb.h"

static int refuse_running(struct store *store, const struct container_row *row,
			  struct img_err *err)
{
	int r = container_is_running(store, row, err);

	if (r > 0)
		r = img_err_set(err, IMG_E_BUSY, 0,
				"it is running: stop it first");
	return r;
}

/* The one moment in which the container gets its other volume.  It has to be
 * on the disk before the old volume goes: a row that names what is gone would
 * be a container that is gone. */
static int exchange(struct store *store, const struct container_row *row,
		    struct volume_pending *new, struct volume_pending *old,
		    struct img_err *err)
{
	img_auto(db_txn_release) struct db *txn = NULL;
	int r = db_begin(store_db(store), true, err);

	if (r < 0)
		return r;
	txn = store_db(store);
	r = container_set_volume(store, row, &new->volume, err);
	if (r == 0)
		r = volume_begin_delete(store, row->volume.id, old, err);
	if (r == 0)
		r = volume_settle(new, err);
	if (r == 0)
		r = db_commit(store_db(store), err);
	if (r == 0)
		volume_keep(new);
	else if (old->store) {
		db_rollback(store_db(store));
		volume_keep(old);
	}
	return r;
}

static int roll_back(struct store *store, const struct container_row *row,
		     const char *name, struct img_err *err)
{
	img_auto(volume_pending_release) struct volume_pending new = { 0 };
	/* Should the old volume's removal fail, the next open goes on with it:
	 * the container has its earlier state all the same. */
	img_auto(volume_pending_release) struct volume_pending old = { 0 };
	struct snapshot_row snapshot;
	int r = refuse_running(store, row, err);

	if (r == 0)
		r = snapshot_find(store, row, name, &snapshot, err);
	if (r == 0)
		r = volume_snapshot(store, &snapshot.volume, &new, err);
	return r < 0 ? r : exchange(store, row, &new, &old, err);
}

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	img_auto(container_row_release) struct container_row row = { 0 };
	img_auto(store_close) struct store *store = NULL;
	int r = cli_open_store(cli, false, &store, err);

	if (r == 0)
		r = container_find(store, argv[0], &row, err);
	if (r < 0)
		return r;
	r = roll_back(store, &row, argv[1], err);
	if (r < 0)
		return img_err_prefix(err, "cannot roll %s back", row.name);
	(void)printf("%s\n", argv[0]);
	return 0;
}

const struct verb verb_snapshot_rollback = {
	.name = "snapshot rollback",
	.arguments = "CONTAINER NAME",
	.summary = "Return a stopped container to the state of a snapshot",
	.description =
		"What was written since the snapshot is lost, also where the "
		"container was made\nlarger. The snapshot stays, and so do all "
		"others, older and newer. Copies no data.",
	.values_size = 1,
	.min_args = 2,
	.max_args = 2,
	.run = run,
};
