#include "storage/volume.h"

#include "base/cleanup.h"
#include "base/lock.h"
#include "base/num.h"
#include "storage/capacity.h"
#include "storage/intent.h"
#include "storage/merge.h"
#include "storage/volume_impl.h"

#include <inttypes.h>

/*
 * How a volume comes: its id, its row, its size; then what the driver does.
 */

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

static int origin_is_gone(struct img_err *err)
{
	return img_err_set(err, IMG_E_NOT_FOUND, 0,
			   "what was to be copied was removed, or rolled back, "
			   "meanwhile");
}

/* A snapshot is as large as its origin, or larger: then its file system has to
 * grow, if it had not already. */
static int size_snapshot(struct store *store, struct volume *volume,
			 struct img_err *err)
{
	char wanted[SIZE_TEXT_MAX], size[SIZE_TEXT_MAX];
	struct volume origin;
	struct img_err missing = { 0 };
	int r = volume_find(store, volume->origin, &origin, &missing);

	if (r == -IMG_E_NOT_FOUND)
		return origin_is_gone(err);
	if (r < 0) {
		*err = missing;
		return r;
	}
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

/*
 * Locks what is to be copied, if it is to stay.  Who removes a volume says so
 * in the catalog, and waits for this lock once before its first block goes
 * (recover_remove): so a copy is whole, or is not made.
 */
static int lock_origin(struct store *store, uint32_t id, struct lock *ret,
		       struct img_err *err)
{
	int64_t stays = 0;
	int r = volume_lock(store, id, ret, err);

	if (r == 0)
		r = db_get_int(store->db, &stays, err,
			       "SELECT 1 FROM volumes v WHERE id = ? AND NOT"
			       " EXISTS (SELECT 1 FROM intents"
			       " WHERE volume = v.id AND op = 'delete')",
			       "i", (int64_t)id);
	if (r < 0)
		return r;
	return stays ? 0 : origin_is_gone(err);
}

static int snapshot(struct store *store, const struct volume *volume,
		    struct img_err *err)
{
	img_auto(lock_release) struct lock lock = { .fd = -1 };
	int r = lock_origin(store, volume->origin, &lock, err);

	return r < 0 ? r : store->driver->snapshot(store, volume, err);
}

static int copy(struct store *store, const struct volume *volume,
		struct img_err *err)
{
	img_auto(lock_release) struct lock lock = { .fd = -1 };
	int r = lock_origin(store, volume->origin, &lock, err);

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

	return make(store, volume, snapshot, ret, err);
}

int volume_copy(struct store *store, const struct volume *origin,
		struct volume_pending *ret, struct img_err *err)
{
	struct volume volume = { .origin = origin->id };

	return make(store, volume, copy, ret, err);
}
