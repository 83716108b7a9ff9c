#include "base/cleanup.h"
#include "cli/container.h"
#include "cli/container_volumes.h"
#include "cli/event.h"
#include "cli/snapshots.h"

/* What goes with a container. */
struct gone {
	struct volume_pending own; /* unless the caller holds it */
	struct snapshots_gone snapshots;
	struct volumes_gone volumes;
};

static void gone_release(struct gone *gone)
{
	volume_pending_release(&gone->own);
	snapshots_gone_release(&gone->snapshots);
	volumes_gone_release(&gone->volumes);
}

/* Nothing goes after all. */
static void gone_keep(struct store *store, struct gone *gone)
{
	db_rollback(store_db(store));
	snapshots_gone_release(&gone->snapshots);
	volumes_gone_release(&gone->volumes);
	if (gone->own.store)
		volume_keep(&gone->own);
}

/* What container_remove was asked for. */
struct removal {
	struct store *store;
	const struct container_row *row;
	struct volume_pending *held;
	bool volumes;
	struct gone *gone;
};

static int remove_rows(void *self, struct img_err *err)
{
	const struct removal *removal = self;
	struct store *store = removal->store;
	const struct container_row *row = removal->row;
	struct volume_pending *held = removal->held;
	struct gone *gone = removal->gone;
	img_auto(db_txn_release) struct db *txn = NULL;
	int r = db_begin(store_db(store), !container_always_goes(row), err);

	if (r < 0)
		return r;
	txn = store_db(store);
	r = snapshots_begin_delete(store, row, &gone->snapshots, err);
	if (r == 0 && removal->volumes)
		r = container_volumes_begin_delete(store, row, &gone->volumes,
						   err);
	if (r == 0)
		r = container_delete(store, row, err);
	if (r == 0)
		r = held ? volume_turn_delete(held, err)
			 : volume_begin_delete(store, row->volume.id,
					       &gone->own, err);
	/* While there is a row: else nobody would know whose it was. */
	if (r == 0 && !held)
		r = container_files_remove(store, row, err);
	if (r == 0)
		r = db_commit(store_db(store), err);
	if (r < 0)
		gone_keep(store, gone);
	return r;
}

int container_remove(struct store *store, const struct container_row *row,
		     struct volume_pending *held, bool volumes,
		     struct img_err *err)
{
	img_auto(gone_release) struct gone gone = { 0 };
	struct removal removal = { store, row, held, volumes, &gone };
	struct img_err dropped = { 0 }; /* a log nobody asks for */
	int r;

	if (held)
		IMG_IGNORE(container_files_remove(store, row, &dropped));
	r = held ? remove_rows(&removal, err)
		 : volume_when_free(store, row->volume.id, remove_rows,
				    &removal, err);
	if (r < 0)
		return r;
	event_write(store, "destroy", row);
	r = snapshots_finish_delete(&gone.snapshots, err);
	if (r == 0)
		r = container_volumes_finish_delete(&gone.volumes, err);
	return r < 0 ? r : volume_finish_delete(held ? held : &gone.own, err);
}
