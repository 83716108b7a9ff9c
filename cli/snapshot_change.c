#include "cli/snapshots.h"

#include "base/cleanup.h"
#include "cli/clock.h"
#include "storage/use.h"

static int record(struct store *store, const struct container_row *container,
		  struct snapshot_row *row, struct volume_pending *new,
		  struct img_err *err)
{
	img_auto(db_txn_release) struct db *txn = NULL;
	int r = db_begin(store_db(store), true, err);

	if (r < 0)
		return r;
	txn = store_db(store);
	row->container = container->id;
	row->volume = new->volume;
	row->created_ns = clock_now_ns();
	r = snapshot_insert(store, row, err);
	if (r == 0)
		r = volume_settle(new, err);
	if (r == 0)
		r = db_commit(store_db(store), err);
	if (r == 0)
		volume_keep(new);
	return r;
}

/* Nobody's file system is frozen for a name that is taken. */
static int look_for_name(struct store *store,
			 const struct container_row *container,
			 const char *name, struct img_err *err)
{
	struct snapshot_row row;
	struct img_err missing = { 0 };
	int r = snapshot_find(store, container, name, &row, &missing);

	if (r == 0)
		return img_err_set(err, IMG_E_EXISTS, 0,
				   "it has a snapshot '%s' already", name);
	if (r == -IMG_E_NOT_FOUND)
		return 0;
	*err = missing;
	return r;
}

int snapshot_take(struct store *store, const struct container_row *container,
		  struct snapshot_row *row, struct img_err *err)
{
	img_auto(volume_pending_release) struct volume_pending new = { 0 };
	int r = 0;

	if (row->name[0])
		r = look_for_name(store, container, row->name, err);
	if (r == 0)
		r = use_check_settled(store, container->volume.id, err);
	if (r == 0)
		r = volume_snapshot(store, &container->volume, &new, err);
	return r < 0 ? r : record(store, container, row, &new, err);
}

static int remove_row(struct store *store, const struct snapshot_row *row,
		      struct volume_pending *gone, struct img_err *err)
{
	img_auto(db_txn_release) struct db *txn = NULL;
	int r = db_begin(store_db(store), true, err);

	if (r < 0)
		return r;
	txn = store_db(store);
	r = snapshot_delete(store, row, err);
	if (r == 0)
		r = volume_begin_delete(store, row->volume.id, gone, err);
	if (r == 0)
		r = db_commit(store_db(store), err);
	if (r < 0 && gone->store) {
		db_rollback(store_db(store));
		volume_keep(gone);
	}
	return r;
}

int snapshot_remove(struct store *store, const struct container_row *container,
		    const char *name, struct img_err *err)
{
	img_auto(volume_pending_release) struct volume_pending gone = { 0 };
	struct snapshot_row row;
	int r = snapshot_find(store, container, name, &row, err);

	if (r == 0)
		r = store_need_pool(store, err);
	if (r == 0)
		r = remove_row(store, &row, &gone, err);
	if (r == 0)
		r = volume_finish_delete(&gone, err);
	return r;
}

static int refuse_running(struct store *store, const struct container_row *row,
			  struct img_err *err)
{
	int r = container_is_running(store, row, err);

	if (r > 0)
		r = img_err_set(err, IMG_E_BUSY, 0,
				"it is running: 'img stop' it first");
	return r;
}

/* The one moment in which the container gets its other volume.  It has to be
 * on the disk before the old volume goes: a row that names what is gone would
 * be a container that is gone. */
struct exchange {
	struct store *store;
	const struct container_row *row;
	struct volume_pending *new, *old;
};

static int exchange(void *self, struct img_err *err)
{
	const struct exchange *exchange = self;
	struct store *store = exchange->store;
	const struct container_row *row = exchange->row;
	struct volume_pending *new = exchange->new, *old = exchange->old;
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

int snapshot_roll_back(struct store *store, const struct container_row *row,
		       const char *name, struct img_err *err)
{
	img_auto(volume_pending_release) struct volume_pending new = { 0 };
	/* Should the old volume's removal fail, the next open goes on with it:
	 * the container has its earlier state all the same. */
	img_auto(volume_pending_release) struct volume_pending old = { 0 };
	struct container_row back = *row; /* its texts are the caller's */
	struct exchange change = { store, row, &new, &old };
	struct snapshot_row snapshot;
	int r = refuse_running(store, row, err);

	if (r == 0)
		r = snapshot_find(store, row, name, &snapshot, err);
	if (r == 0)
		r = volume_snapshot(store, &snapshot.volume, &new, err);
	if (r == 0) {
		back.volume = new.volume;
		r = volume_when_free(store, row->volume.id, exchange, &change,
				     err);
	}
	if (r == 0)
		container_note(store, &back);
	return r;
}
