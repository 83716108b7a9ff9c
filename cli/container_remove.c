#include "base/cleanup.h"
#include "cli/container.h"
#include "cli/event.h"
#include "cli/snapshots.h"

/* @held: as container_remove has it; else @own becomes its volume that goes. */
static int remove_rows(struct store *store, const struct container_row *row,
		       struct volume_pending *held, struct volume_pending *own,
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
		r = held ? volume_turn_delete(held, err)
			 : volume_begin_delete(store, row->volume.id, own, err);
	/* While there is a row: else nobody would know whose it was. */
	if (r == 0 && !held)
		r = container_files_remove(store, row, err);
	if (r == 0)
		r = db_commit(store_db(store), err);
	if (r < 0) {
		db_rollback(store_db(store));
		snapshots_gone_release(snapshots);
	}
	if (r < 0 && own->store)
		volume_keep(own);
	return r;
}

int container_remove(struct store *store, const struct container_row *row,
		     struct volume_pending *held, struct img_err *err)
{
	img_auto(volume_pending_release) struct volume_pending own = { 0 };
	img_auto(
		snapshots_gone_release) struct snapshots_gone snapshots = { 0 };
	struct img_err dropped = { 0 }; /* a log nobody asks for */
	int r;

	if (held)
		IMG_IGNORE(container_files_remove(store, row, &dropped));
	r = remove_rows(store, row, held, &own, &snapshots, err);
	if (r < 0)
		return r;
	event_write(store, "destroy", row);
	r = snapshots_finish_delete(&snapshots, err);
	return r < 0 ? r : volume_finish_delete(held ? held : &own, err);
}
