#include "storage/hold.h"

#include "base/cleanup.h"
#include "base/lock.h"
#include "storage/backing.h"
#include "storage/intent.h"
#include "storage/pool.h"

/* dm-thin says so when there is no metadata snapshot to release. */
#define NOT_HELD EINVAL

static int release_snapshot(struct store *store, struct img_err *err)
{
	struct img_err first = { 0 };
	int r = pool_message(store, &first, "release_metadata_snap");

	if (r == -IMG_E_SYS && first.sys_errno == NOT_HELD)
		return 0;
	if (r < 0)
		*err = first;
	return r;
}

/* One whose owner died is in the way: ours is the lock. */
static int reserve(struct store *store, struct img_err *err)
{
	struct img_err first = { 0 };
	int r = pool_message(store, &first, "reserve_metadata_snap");

	if (r == -IMG_E_BUSY) {
		r = release_snapshot(store, err);
		return r < 0 ? r
			     : pool_message(store, err,
					    "reserve_metadata_snap");
	}
	if (r < 0)
		*err = first;
	return r;
}

/* So that somebody lets go if this process dies.  A catalog that cannot be
 * written is no reason not to read. */
static void announce(struct hold *hold)
{
	img_auto(db_txn_release) struct db *txn = NULL;
	struct store *store = hold->store;
	struct img_err dropped = { 0 };
	int64_t intent = 0;

	if (db_begin(store->db, false, &dropped) < 0)
		return;
	txn = store->db;
	if (intent_begin(store, INTENT_HOLD, 0, &intent, &dropped) < 0)
		return;
	if (db_commit(store->db, &dropped) < 0) {
		intent_drop(store, intent);
		return;
	}
	hold->intent = intent;
}

static void withdraw(const struct hold *hold)
{
	struct img_err dropped = { 0 }; /* the next open does it */

	IMG_IGNORE(intent_end_alone(hold->store, hold->intent, &dropped));
	intent_drop(hold->store, hold->intent);
}

/* Whether the pool stands still by itself. */
static bool is_still(struct store *store)
{
	struct store_usage usage;
	struct img_err dropped = { 0 };

	return pool_usage(store, &usage, &dropped) == 0 &&
	       (usage.read_only || usage.failed);
}

static int read_held(struct hold *hold, struct img_err *err)
{
	const struct thin_meta_options options = {
		.from_snapshot = hold->reserved,
	};

	int r = backing_open(hold->store, BACKING_METADATA, &hold->fd, err);

	if (r < 0)
		return r;
	return thin_meta_open(hold->fd, &options, &hold->meta, err);
}

int hold_begin(struct store *store, struct hold *ret, struct img_err *err)
{
	img_auto(hold_release) struct hold hold = HOLD_NONE;
	struct lock lock;
	struct img_err refused = { 0 };
	int r = store_need_pool(store, err);

	if (r == 0)
		r = store_lock(store, LOCK_METADATA, &lock, err);
	if (r < 0)
		return r;
	hold.store = store;
	announce(&hold);
	r = reserve(store, &refused);
	hold.reserved = r == 0;
	if (r < 0 && !is_still(store)) {
		*err = refused;
		return r;
	}
	r = read_held(&hold, err);
	if (r < 0)
		return r;
	*ret = hold;
	hold.store = NULL;
	hold.fd = -1;
	hold.meta = NULL;
	return 0;
}

void hold_release(struct hold *hold)
{
	struct store *store = hold->store;
	struct img_err dropped = { 0 }; /* then the next open does it */
	int r = 0;

	thin_meta_release(&hold->meta);
	img_fd_release(&hold->fd);
	if (!store)
		return;
	if (hold->reserved)
		r = release_snapshot(store, &dropped);
	if (hold->intent && r == 0)
		withdraw(hold);
	else if (hold->intent)
		intent_drop(store, hold->intent);
	lock_drop(store->lock_fd, LOCK_METADATA);
	hold->store = NULL;
}

int hold_drop_stale(struct store *store, struct img_err *err)
{
	img_auto(lock_release) struct lock lock = { .fd = -1 };
	int r = lock_try(store->lock_fd, LOCK_METADATA, err);

	if (r <= 0)
		return r;
	lock = (struct lock){ store->lock_fd, LOCK_METADATA };
	return release_snapshot(store, err);
}
