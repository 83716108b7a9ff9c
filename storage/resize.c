#include "storage/resize.h"

#include "base/cleanup.h"
#include "base/lock.h"
#include "base/num.h"
#include "storage/use_impl.h"
#include "storage/volume_impl.h"

#include <inttypes.h>
#include <string.h>

struct resize {
	int64_t intent;
	struct volume old, new;
	bool live; /* somebody runs the volume: its device is theirs */
	char node[VOLUME_NODE_MAX];
};

/* Who has a device that may grow under it. */
#define RUNS (INTENT_BIT(INTENT_RUN) | INTENT_BIT(INTENT_SHARE))

/* 1 when a living process runs the volume, 0 when nobody is at it; who does
 * anything else with it is not to be disturbed. */
static int look_who(struct store *store, uint32_t id, struct img_err *err)
{
	int r = intent_is_held(store, id, ~RUNS, err);

	if (r > 0)
		return img_err_set(err, IMG_E_BUSY, 0,
				   "another process is using it");
	if (r == 0)
		r = use_check(store, id, INTENT_RESIZE, err);
	return r < 0 ? r : intent_is_held(store, id, RUNS, err);
}

int resize_check(struct store *store, const struct volume *volume,
		 struct img_err *err)
{
	return store->driver->resize_check
		       ? store->driver->resize_check(store, volume, err)
		       : 0;
}

static int refuse_smaller(const struct volume *volume, struct img_err *err)
{
	char size[SIZE_TEXT_MAX];

	return img_err_set(err, IMG_E_INPUT, 0,
			   "it has %s already, and a file system can only be "
			   "made larger: its blocks may be anywhere",
			   num_format_size(volume->size_bytes, size));
}

static int set_sizes(struct store *store, const struct volume *volume,
		     struct img_err *err)
{
	int r = db_run(store->db, err,
		       "UPDATE volumes SET size_bytes = ?,"
		       " fs_bytes = nullif(?, 0) WHERE id = ?",
		       "iii", (int64_t)volume->size_bytes,
		       (int64_t)volume->fs_bytes, (int64_t)volume->id);

	return r < 0 ? r : 0;
}

/* In a transaction: the row first, and the intent with it. */
static int note(struct store *store, struct resize *z, struct img_err *err)
{
	int r = look_who(store, z->old.id, err);

	if (r < 0)
		return r;
	z->live = r > 0;
	r = intent_begin(store, INTENT_RESIZE, z->old.id, &z->intent, err);
	if (r == 0)
		r = set_sizes(store, &z->new, err);
	return r < 0 ? r : db_commit(store->db, err);
}

static int end(struct store *store, int64_t intent, const struct volume *volume,
	       bool durable, struct img_err *err)
{
	img_auto(db_txn_release) struct db *txn = NULL;
	int r = db_begin(store->db, durable, err);

	if (r < 0)
		return r;
	txn = store->db;
	r = set_sizes(store, volume, err);
	if (r == 0)
		r = intent_end(store, intent, err);
	return r < 0 ? r : db_commit(store->db, err);
}

/* 1 when there is something to do: it was announced, durably. */
static int announce(struct store *store, uint32_t id, uint64_t size_bytes,
		    struct resize *z, struct img_err *err)
{
	img_auto(db_txn_release) struct db *txn = NULL;
	int r = db_begin(store->db, true, err);

	if (r < 0)
		return r;
	txn = store->db;
	r = volume_find(store, id, &z->old, err);
	if (r == 0)
		r = resize_check(store, &z->old, err);
	if (r < 0)
		return r;
	if (size_bytes < z->old.size_bytes)
		return refuse_smaller(&z->old, err);
	if (size_bytes == z->old.size_bytes && !z->old.fs_bytes)
		return 0;
	z->new = z->old;
	z->new.size_bytes = size_bytes;
	if (!z->new.fs_bytes)
		z->new.fs_bytes = z->old.size_bytes;
	r = note(store, z, err);
	if (r < 0 && z->intent) {
		db_rollback(store->db);
		intent_drop(store, z->intent);
	}
	return r < 0 ? r : 1;
}

/* The device that somebody else has made. */
static int find_device(struct store *store, const struct volume *volume,
		       char node[VOLUME_NODE_MAX], int *ret_fd,
		       struct img_err *err)
{
	int r = volume_open_device(store, volume, node, ret_fd, err);

	if (r == 0)
		r = img_err_set(err, IMG_E_BUSY, 0,
				"it is just starting or ending: try again");
	return r < 0 ? r : 0;
}

/* A snapshot of it must not find it suspended, nor be disturbed. */
static int resize_alone(struct store *store, const struct volume *volume,
			struct img_err *err)
{
	img_auto(lock_release) struct lock lock = { .fd = -1 };
	int r = volume_lock(store, volume->id, &lock, err);

	return r < 0 ? r : store->driver->resize(store, volume, err);
}

static int size_device(struct store *store, const struct volume *volume,
		       bool live, char node[VOLUME_NODE_MAX], int *ret_fd,
		       struct img_err *err)
{
	/* Also one that a dead process left, before it is taken over. */
	int r = resize_alone(store, volume, err);

	if (r < 0)
		return r;
	return live ? find_device(store, volume, node, ret_fd, err)
		    : volume_activate(store, volume, node, err);
}

/* Nothing was written yet: the device may have its old size again.  Where even
 * that fails the intent stays, and the next open goes on to the new size. */
static void undo(struct store *store, const struct resize *z)
{
	struct img_err dropped = { 0 }; /* what began the trouble is told */
	int r = z->live ? resize_alone(store, &z->old, &dropped)
			: volume_deactivate(store, &z->old, &dropped);

	if (r == 0)
		IMG_IGNORE(end(store, z->intent, &z->old, true, &dropped));
	intent_drop(store, z->intent);
}

/* The volume has its size: what fails here is done by the next open. */
static void finish(struct store *store, struct resize *z, bool is_grown)
{
	struct img_err dropped = { 0 };
	int r = z->live ? 0 : volume_deactivate(store, &z->new, &dropped);

	if (is_grown)
		z->new.fs_bytes = 0;
	if (r == 0)
		IMG_IGNORE(end(store, z->intent, &z->new, false, &dropped));
	intent_drop(store, z->intent);
}

static int grow(struct store *store, const char *node,
		const struct volume *volume, struct img_err *err)
{
	if (!store->grow)
		return img_err_set(err, IMG_E_UNSUPPORTED, 0,
				   "nobody here can grow a file system");
	return store->grow(store, node, volume->size_bytes, err);
}

int resize_volume(struct store *store, uint32_t id, uint64_t size_bytes,
		  struct img_err *err)
{
	img_auto(img_fd_release) int device_fd = -1; /* while it is theirs */
	struct resize z = { 0 };
	int r = store_need_pool(store, err);

	if (r == 0)
		r = volume_await(store, id, err);
	if (r == 0)
		r = announce(store, id, size_bytes, &z, err);
	if (r <= 0)
		return r;
	r = size_device(store, &z.new, z.live, z.node, &device_fd, err);
	if (r < 0) {
		undo(store, &z);
		return r;
	}
	r = grow(store, z.node, &z.new, err);
	img_fd_release(&device_fd);
	finish(store, &z, r == 0);
	return r;
}

int resize_fill(struct store *store, struct volume_pending *running,
		struct img_err *err)
{
	struct volume *volume = &running->volume;
	char node[VOLUME_NODE_MAX];
	int r;

	if (!volume->fs_bytes)
		return 0;
	r = volume_activate(store, volume, node, err);
	if (r == 0)
		r = grow(store, node, volume, err);
	if (r == 0)
		r = db_run(store->db, err,
			   "UPDATE volumes SET fs_bytes = NULL"
			   " WHERE id = ? AND size_bytes = ?",
			   "ii", (int64_t)volume->id,
			   (int64_t)volume->size_bytes);
	if (r >= 0)
		volume->fs_bytes = 0;
	return r < 0 ? r : 0;
}

int resize_recover(struct store *store, const struct volume *volume,
		   int64_t intent, struct img_err *err)
{
	img_auto(img_fd_release) int device_fd = -1; /* while it is theirs */
	struct volume grown = *volume;
	struct img_err later = { 0 }; /* tried again at the next use */
	char node[VOLUME_NODE_MAX];
	int live =
		intent_is_held(store, volume->id, INTENT_BIT(INTENT_RUN), err);
	int r = live;

	if (live >= 0)
		r = size_device(store, volume, live > 0, node, &device_fd, err);
	if (r == -IMG_E_BUSY && live > 0)
		r = 0; /* it ends: nothing is there to grow */
	else if (r == 0 && volume->fs_bytes &&
		 grow(store, node, volume, &later) == 0)
		grown.fs_bytes = 0;
	if (r == 0 && live == 0)
		r = volume_deactivate(store, volume, err);
	return r < 0 ? r : end(store, intent, &grown, false, err);
}
