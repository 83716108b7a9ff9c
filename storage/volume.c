#include "storage/volume.h"

#include "base/cleanup.h"
#include "base/lock.h"
#include "base/num.h"
#include "storage/capacity.h"
#include "storage/intent.h"
#include "storage/merge.h"
#include "storage/recover.h"
#include "storage/use_impl.h"
#include "storage/volume_impl.h"

#include <inttypes.h>
#include <time.h>

#define BUSY_WAIT_MS 10000
#define BUSY_STEP_MS 5

int volume_find(struct store *store, uint32_t id, struct volume *ret,
		struct img_err *err)
{
	img_auto(db_row_end) struct db_row *row = NULL;
	int r = db_query(store->db, &row, err,
			 "SELECT size_bytes, origin, fs_bytes FROM volumes"
			 " WHERE id = ?",
			 "i", (int64_t)id);

	if (r == 0)
		r = db_next(row, err);
	if (r < 0)
		return r;
	if (r == 0)
		return img_err_set(err, IMG_E_NOT_FOUND, 0,
				   "there is no volume %" PRIu32, id);
	*ret = (struct volume){
		.id = id,
		.size_bytes = (uint64_t)db_int(row, 0),
		.origin = (uint32_t)db_int(row, 1),
		.fs_bytes = (uint64_t)db_int(row, 2),
	};
	return 0;
}

/* The next id after the highest that ever was; below it once the end is
 * reached.  One that was just deleted is not used again: a power cut can bring
 * its row back, which must not find another volume under its id. */
static int pick_id(struct db *db, uint32_t *ret, struct img_err *err)
{
	int64_t id = 0;
	int r = db_get_int(db, &id, err,
			   "SELECT max(coalesce((SELECT max(id) FROM volumes),"
			   " 0), coalesce((SELECT seq FROM sqlite_sequence"
			   " WHERE name = 'volumes'), 0)) + 1",
			   "");

	if (r > 0 && id > VOLUME_ID_MAX)
		r = db_get_int(db, &id, err,
			       "SELECT min(v.id) + 1 FROM"
			       " (SELECT 0 AS id UNION ALL"
			       " SELECT id FROM volumes) v WHERE NOT"
			       " EXISTS (SELECT 1 FROM volumes w"
			       " WHERE w.id = v.id + 1)",
			       "");
	if (r < 0)
		return r;
	if (id > VOLUME_ID_MAX)
		return img_err_set(err, IMG_E_NO_SPACE, 0,
				   "the pool has no volume id left");
	*ret = (uint32_t)id;
	return 0;
}

/* A snapshot is as large as its origin, or larger: then its file system has to
 * grow, if it had not already. */
static int size_snapshot(struct store *store, struct volume *volume,
			 struct img_err *err)
{
	char wanted[SIZE_TEXT_MAX], size[SIZE_TEXT_MAX];
	struct volume origin;
	int r = volume_find(store, volume->origin, &origin, err);

	if (r < 0)
		return r;
	if (volume->size_bytes && volume->size_bytes < origin.size_bytes)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "%s is less than the %s of what is copied",
				   num_format_size(volume->size_bytes, wanted),
				   num_format_size(origin.size_bytes, size));
	volume->fs_bytes = origin.fs_bytes;
	if (!volume->size_bytes)
		volume->size_bytes = origin.size_bytes;
	else if (volume->size_bytes > origin.size_bytes && !origin.fs_bytes)
		volume->fs_bytes = origin.size_bytes;
	return 0;
}

/* The origin may have grown after it was looked at and before the snapshot was
 * taken: what is in that must not be larger than its volume. */
static int follow_origin(struct store *store, struct volume *volume,
			 struct img_err *err)
{
	int64_t size = 0;
	int r = db_get_int(store->db, &size, err,
			   "SELECT size_bytes FROM volumes WHERE id = ?", "i",
			   (int64_t)volume->origin);

	if (r <= 0 || (uint64_t)size <= volume->size_bytes)
		return r < 0 ? r : 0;
	if (!volume->fs_bytes)
		volume->fs_bytes = volume->size_bytes;
	volume->size_bytes = (uint64_t)size;
	r = db_run(store->db, err,
		   "UPDATE volumes SET size_bytes = ?, fs_bytes = ?"
		   " WHERE id = ?",
		   "iii", size, (int64_t)volume->fs_bytes, (int64_t)volume->id);
	return r < 0 ? r : 0;
}

/* Writes the intent and the row: after this a crash leaves nothing behind. */
static int announce(struct store *store, struct volume *volume,
		    struct volume_pending *ret, struct img_err *err)
{
	img_auto(db_txn_release) struct db *txn = NULL;
	int64_t intent = 0;
	int r;

	r = db_begin(store->db, false, err);
	if (r < 0)
		return r;
	txn = store->db;
	r = merge_check(store, volume->origin, err);
	if (r == 0 && volume->origin)
		r = size_snapshot(store, volume, err);
	if (r == 0)
		r = pick_id(store->db, &volume->id, err);
	if (r == 0)
		r = intent_begin(store, INTENT_CREATE, volume->id, &intent,
				 err);
	if (r < 0)
		return r;
	r = db_run(store->db, err,
		   "INSERT INTO volumes (id, size_bytes, origin, fs_bytes)"
		   " VALUES (?, ?, nullif(?, 0), nullif(?, 0))",
		   "iiii", (int64_t)volume->id, (int64_t)volume->size_bytes,
		   (int64_t)volume->origin, (int64_t)volume->fs_bytes);
	if (r >= 0)
		r = db_commit(store->db, err);
	if (r < 0) {
		intent_drop(store, intent);
		return r;
	}
	*ret = (struct volume_pending){
		.store = store,
		.intent = intent,
		.volume = *volume,
		.undo = true,
	};
	return 0;
}

static int make(struct store *store, struct volume volume, volume_fn *fn,
		struct volume_pending *ret, struct img_err *err)
{
	img_auto(volume_pending_release) struct volume_pending new = { 0 };
	struct img_err first = { 0 };
	int r;

	r = store_need_pool(store, err);
	if (r == 0)
		r = capacity_check(store, err);
	if (r == 0)
		r = announce(store, &volume, &new, err);
	if (r < 0)
		return r;
	r = fn(store, &volume, &first);
	if (r == -IMG_E_EXISTS) {
		/* Our row holds the id, so what is there belongs to nobody. */
		r = volume_retry(store, &volume, store->driver->destroy, err);
		if (r == 0)
			r = fn(store, &volume, err);
	} else if (r < 0) {
		*err = first;
	}
	if (r == 0 && volume.origin)
		r = follow_origin(store, &new.volume, err);
	if (r < 0)
		return r;
	*ret = new;
	new.store = NULL;
	return 0;
}

int volume_lock(struct store *store, uint32_t id, struct lock *ret,
		struct img_err *err)
{
	return store_lock(store, LOCK_VOLUMES + id, ret, err);
}

static int snapshot(struct store *store, const struct volume *volume,
		    struct img_err *err)
{
	img_auto(lock_release) struct lock lock = { .fd = -1 };
	int r = volume_lock(store, volume->origin, &lock, err);

	return r < 0 ? r : store->driver->snapshot(store, volume, err);
}

static int copy(struct store *store, const struct volume *volume,
		struct img_err *err)
{
	img_auto(lock_release) struct lock lock = { .fd = -1 };
	int r = volume_lock(store, volume->origin, &lock, err);

	return r < 0 ? r : store->driver->copy(store, volume, err);
}

int volume_create(struct store *store, uint64_t size_bytes,
		  struct volume_pending *ret, struct img_err *err)
{
	return make(store, (struct volume){ .size_bytes = size_bytes },
		    store->driver->create, ret, err);
}

int volume_snapshot(struct store *store, const struct volume *origin,
		    struct volume_pending *ret, struct img_err *err)
{
	return volume_snapshot_larger(store, origin, 0, ret, err);
}

int volume_snapshot_larger(struct store *store, const struct volume *origin,
			   uint64_t size_bytes, struct volume_pending *ret,
			   struct img_err *err)
{
	struct volume volume = { .size_bytes = size_bytes,
				 .origin = origin->id };

	if (size_bytes && !store->driver->resize)
		return img_err_set(err, IMG_E_UNSUPPORTED, 0,
				   "volumes of the driver '%s' have the size "
				   "of their image",
				   store->driver->name);
	return make(store, volume, snapshot, ret, err);
}

int volume_copy(struct store *store, const struct volume *origin,
		struct volume_pending *ret, struct img_err *err)
{
	struct volume volume = { .origin = origin->id };

	return make(store, volume, copy, ret, err);
}

int volume_settle(struct volume_pending *pending, struct img_err *err)
{
	return intent_end(pending->store, pending->intent, err);
}

void volume_keep(struct volume_pending *pending)
{
	intent_drop(pending->store, pending->intent);
	pending->store = NULL;
}

int volume_settle_running(struct volume_pending *pending, struct img_err *err)
{
	return intent_change(pending->store, pending->intent, INTENT_RUN, err);
}

void volume_keep_running(struct volume_pending *pending)
{
	pending->undo = false;
}

int volume_is_held(struct store *store, uint32_t id, struct img_err *err)
{
	return intent_is_held(store, id, ~0u, err);
}

static int check_free(struct store *store, uint32_t id, struct img_err *err)
{
	int r = volume_is_held(store, id, err);

	if (r > 0)
		r = img_err_set(err, IMG_E_BUSY, 0,
				"another process is using it");
	return r;
}

int volume_begin(struct store *store, const struct volume *volume,
		 enum intent_op op, struct volume_pending *ret,
		 struct img_err *err)
{
	struct volume now; /* it may have grown since the caller looked */
	int64_t intent = 0;
	int r;

	r = volume_find(store, volume->id, &now, err);
	if (r == 0)
		r = check_free(store, volume->id, err);
	if (r == 0)
		r = merge_check(store, volume->id, err);
	if (r == 0)
		r = use_check(store, volume->id, op, err);
	if (r == 0)
		r = intent_begin(store, op, volume->id, &intent, err);
	if (r < 0)
		return r;
	now.read_only = volume->read_only;
	*ret = (struct volume_pending){
		.store = store,
		.intent = intent,
		.volume = now,
		.undo = op == INTENT_DELETE,
	};
	return 0;
}

int volume_begin_run(struct store *store, const struct volume *volume,
		     struct volume_pending *ret, struct img_err *err)
{
	return volume_begin(store, volume, INTENT_RUN, ret, err);
}

int volume_begin_delete(struct store *store, uint32_t id,
			struct volume_pending *ret, struct img_err *err)
{
	struct volume volume = { .id = id };

	return volume_begin(store, &volume, INTENT_DELETE, ret, err);
}

int volume_adopt(struct store *store, uint32_t id, uint64_t size_bytes,
		 struct img_err *err)
{
	int r = db_run(store->db, err,
		       "INSERT INTO volumes (id, size_bytes) VALUES (?, ?)",
		       "ii", (int64_t)id, (int64_t)size_bytes);

	return r < 0 ? r : 0;
}

int volume_orphan(struct store *store, uint32_t id, struct img_err *err)
{
	int r = db_run(store->db, err, "DELETE FROM volumes WHERE id = ?", "i",
		       (int64_t)id);

	return r < 0 ? r : 0;
}

int volume_condemn(struct store *store, uint32_t id, struct img_err *err)
{
	int r = db_run(store->db, err,
		       "UPDATE intents SET op = 'delete' WHERE volume = ?", "i",
		       (int64_t)id);

	if (r == 0) /* an intent that nobody holds is to be recovered */
		r = db_run(store->db, err,
			   "INSERT INTO intents (op, volume)"
			   " VALUES ('delete', ?)",
			   "i", (int64_t)id);
	return r < 0 ? r : 0;
}

int volume_turn_delete(struct volume_pending *pending, struct img_err *err)
{
	return intent_change(pending->store, pending->intent, INTENT_DELETE,
			     err);
}

int volume_finish_delete(struct volume_pending *pending, struct img_err *err)
{
	struct store *store = pending->store;
	int r;

	r = store_need_pool(store, err);
	if (r == 0)
		r = recover_remove(store, &pending->volume, pending->intent,
				   err);
	/* Undone or not, the next open of the store may go on with it. */
	volume_keep(pending);
	return r;
}

void volume_pending_release(struct volume_pending *pending)
{
	struct img_err dropped = { 0 }; /* the next open tries again */

	if (!pending->store)
		return;
	db_rollback(pending->store->db);
	if (pending->undo)
		IMG_IGNORE(volume_finish_delete(pending, &dropped));
	else
		volume_keep(pending);
}

int volume_check(struct store *store, const struct volume *volume,
		 struct img_err *err)
{
	return store->driver->check ? store->driver->check(store, volume, err)
				    : 0;
}

int volume_activate(struct store *store, const struct volume *volume,
		    char node[VOLUME_NODE_MAX], struct img_err *err)
{
	img_auto(lock_release) struct lock lock = { .fd = -1 };
	struct dm_name name;
	char what[16];
	dev_t dev = 0;
	int r;

	r = store_need_pool(store, err);
	if (r == 0)
		r = volume_lock(store, volume->id, &lock, err);
	if (r == 0)
		r = store->driver->activate(store, volume, &dev, err);
	if (r < 0)
		return r;
	(void)snprintf(what, sizeof(what), "%" PRIu32, volume->id);
	store_device_name(store, what, &name);
	return store->dm.ops->node(store->dm.self, &name, dev, node, err);
}

int volume_retry(struct store *store, const struct volume *volume,
		 volume_fn *fn, struct img_err *err)
{
	struct timespec step = { .tv_nsec = BUSY_STEP_MS * 1000000L };

	for (int waited_ms = 0;; waited_ms += BUSY_STEP_MS) {
		struct img_err busy = { 0 };
		int r = fn(store, volume, &busy);

		if (r != -IMG_E_BUSY || waited_ms >= BUSY_WAIT_MS) {
			if (r < 0)
				*err = busy;
			return r;
		}
		(void)nanosleep(&step, NULL); /* a signal only hurries it */
	}
}

static int deactivate(struct store *store, const struct volume *volume,
		      struct img_err *err)
{
	img_auto(lock_release) struct lock lock = { .fd = -1 };
	int r = volume_lock(store, volume->id, &lock, err);

	return r < 0 ? r : store->driver->deactivate(store, volume, err);
}

int volume_deactivate(struct store *store, const struct volume *volume,
		      struct img_err *err)
{
	int r = store_need_pool(store, err);

	return r < 0 ? r : volume_retry(store, volume, deactivate, err);
}
