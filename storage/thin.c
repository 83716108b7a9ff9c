#include "storage/thin.h"

#include "base/cleanup.h"
#include "base/lock.h"
#include "base/lock_order.h"
#include "base/num.h"
#include "storage/discard.h"
#include "storage/grow.h"
#include "storage/ledger.h"
#include "storage/pool.h"
#include "storage/reserve.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/sysmacros.h>

/*
 * The driver "thin": every volume is a thin device of one pool, every
 * snapshot one create_snap.
 */

static int state_of(struct store *store, const struct volume *volume,
		    struct dm_name *name, struct dm_state *state,
		    struct img_err *err)
{
	store_volume_name(store, volume->id, name);
	return store->dm.ops->state(store->dm.self, name, state, err);
}

static int create(struct store *store, const struct volume *volume,
		  struct img_err *err)
{
	return pool_message(store, err, "create_thin %" PRIu32, volume->id);
}

/* The kernel wants an active origin suspended and does not enforce it. */
static int snapshot_frozen(struct store *store, const struct volume *volume,
			   struct img_err *err)
{
	img_auto(dm_hold_release) struct dm_hold hold = { .dm = &store->dm };
	struct volume origin = { .id = volume->origin };
	struct dm_state state;
	struct dm_name name;
	int r;

	r = state_of(store, &origin, &name, &state, err);
	if (r < 0)
		return r;
	/* What refuses writes has none under way. */
	state.has_table &= !state.read_only;
	if (state.has_table) {
		hold.name = &name; /* even a failed suspend is resumed */
		r = store->dm.ops->suspend(store->dm.self, &name, err);
		if (r < 0)
			return r;
	}
	r = pool_message(store, err, "create_snap %" PRIu32 " %" PRIu32,
			 volume->id, volume->origin);
	if (r == 0 && state.has_table) {
		r = store->dm.ops->resume(store->dm.self, &name, err);
		if (r == 0)
			hold.name = NULL;
	}
	return r;
}

/* Others may wait for a frozen file system: nobody is waited for meanwhile. */
static int snapshot(struct store *store, const struct volume *volume,
		    struct img_err *err)
{
	int r;

	lock_order_take((uintptr_t)store, LOCK_RANK_FROZEN,
			"a frozen file system");
	r = snapshot_frozen(store, volume, err);
	lock_order_drop((uintptr_t)store, LOCK_RANK_FROZEN);
	return r;
}

/* The device is there already: active, or left as it is by a dead process. */
static int take_over(struct store *store, const struct dm_name *name,
		     const struct dm_table *table, dev_t *ret,
		     struct img_err *err)
{
	const struct dm_ops *dm = store->dm.ops;
	struct dm_state state;
	int r = dm->state(store->dm.self, name, &state, err);

	if (r < 0)
		return r;
	if (state.has_table && state.read_only != table->read_only) {
		if (state.open_count > 0)
			return img_err_set(
				err, IMG_E_BUSY, 0,
				"the device %s is in use, %s", name->name,
				state.read_only ? "read-only" : "for writing");
		state.has_table = false;
	}
	if (!state.has_table) { /* of no use to anybody */
		if (state.exists)
			r = dm->remove(store->dm.self, name, err);
		return r < 0 ? r
			     : dm->create(store->dm.self, name, table, ret,
					  err);
	}
	if (state.suspended)
		r = dm->resume(store->dm.self, name, err);
	*ret = state.dev;
	return r;
}

/* @params is @size bytes of the caller's, for the table to borrow. */
static int make_table(struct store *store, const struct volume *volume,
		      char *params, size_t size, struct dm_table *ret,
		      struct img_err *err)
{
	dev_t pool;
	int r = pool_dev(store, &pool, err);

	if (r < 0)
		return r;
	(void)snprintf(params, size, "%u:%u %" PRIu32, major(pool), minor(pool),
		       volume->id);
	*ret = (struct dm_table){
		.len_sectors = num_sectors(volume->size_bytes),
		.target = "thin",
		.params = params,
		.read_only = volume->read_only,
	};
	return 0;
}

static int activate(struct store *store, const struct volume *volume,
		    dev_t *ret, struct img_err *err)
{
	struct img_err first = { 0 };
	struct dm_table table;
	struct dm_name name;
	char params[48];
	int r;

	r = make_table(store, volume, params, sizeof(params), &table, err);
	if (r < 0)
		return r;
	store_volume_name(store, volume->id, &name);
	r = store->dm.ops->create(store->dm.self, &name, &table, ret, &first);
	if (r == -IMG_E_EXISTS || r == -IMG_E_BUSY)
		return take_over(store, &name, &table, ret, err);
	if (r < 0)
		*err = first;
	return r;
}

/* The resume takes the new table; a file system on the device is frozen for
 * that instant. */
static int resize(struct store *store, const struct volume *volume,
		  struct img_err *err)
{
	struct dm_table table;
	struct dm_state state;
	struct dm_name name;
	char params[48];
	int r;

	r = state_of(store, volume, &name, &state, err);
	if (r < 0 || !state.has_table)
		return r;
	r = make_table(store, volume, params, sizeof(params), &table, err);
	if (r == 0)
		r = store->dm.ops->load(store->dm.self, &name, &table, err);
	return r < 0 ? r : store->dm.ops->resume(store->dm.self, &name, err);
}

static int deactivate(struct store *store, const struct volume *volume,
		      struct img_err *err)
{
	struct img_err first = { 0 };
	struct dm_name name;
	int r;

	store_volume_name(store, volume->id, &name);
	r = store->dm.ops->remove(store->dm.self, &name, &first);
	if (r == -IMG_E_NOT_FOUND)
		return 0;
	if (r < 0)
		*err = first;
	return r;
}

static int destroy(struct store *store, const struct volume *volume,
		   struct img_err *err)
{
	struct img_err missing = { 0 };
	struct dm_state state;
	struct dm_name name;
	int r;

	r = state_of(store, volume, &name, &state, err);
	if (r < 0)
		return r;
	if (state.exists && state.open_count > 0)
		return img_err_set(err, IMG_E_BUSY, 0,
				   "the volume %" PRIu32 " is in use",
				   volume->id);
	/* Space that cannot be given back now is lost to the host only until
	 * its blocks are used again: no reason to keep the volume. */
	discard_exclusive(store, volume);
	r = deactivate(store, volume, err);
	if (r < 0)
		return r;
	r = pool_message(store, &missing, "delete %" PRIu32, volume->id);
	if (r < 0 && r != -IMG_E_NOT_FOUND) {
		*err = missing;
		return r;
	}
	return 0;
}

static int thaw(struct store *store, const struct volume *volume,
		struct img_err *err)
{
	struct dm_state state;
	struct dm_name name;
	int r = state_of(store, volume, &name, &state, err);

	if (r < 0 || !state.exists || !state.suspended)
		return r;
	return store->dm.ops->resume(store->dm.self, &name, err);
}

static int start(struct store *store, struct img_err *err)
{
	int r = pool_up(store, err);

	if (r == 0)
		thin_drop_old_hold(store);
	return r;
}

/* The ledger is thin device 0 of the pool. */
static int open_ledger(struct store *store, int *ret, struct img_err *err)
{
	const struct volume volume = { .id = LEDGER_VOLUME,
				       .size_bytes = LEDGER_BYTES };
	struct img_err missing = { 0 };
	char node[VOLUME_NODE_MAX];
	int r = volume_activate(store, &volume, node, &missing);

	if (r == -IMG_E_NO_DM) {
		*err = missing;
		return r;
	}
	if (r < 0) { /* the pool's first record */
		struct img_err exists = { 0 };

		r = create(store, &volume, &exists);
		if (r < 0 && r != -IMG_E_EXISTS) {
			*err = exists;
			return r;
		}
		r = volume_activate(store, &volume, node, err);
	}
	if (r < 0)
		return r;
	*ret = open(node, O_RDWR | O_DIRECT | O_CLOEXEC);
	return *ret < 0 ? img_err_sys(err, "cannot open the ledger") : 0;
}

/* The ledger stays active between its uses; nobody is at it once its lock is
 * ours. */
static int stop(struct store *store, struct img_err *err)
{
	img_auto(lock_release) struct lock lock = { .fd = -1 };
	const struct volume ledger = { .id = LEDGER_VOLUME };
	int r = store_lock(store, LOCK_LEDGER, &lock, err);

	if (r == 0)
		r = deactivate(store, &ledger, err);
	return r < 0 ? r : pool_down(store, err);
}

static const struct driver_capacity capacity = {
	.check = reserve_check,
	.grow = grow_to,
	.guard = grow_guard,
	.make_room = grow_for,
	.explain = reserve_explain,
};

const struct driver driver_thin = {
	.name = "thin",
	.check_sizes = thin_check_sizes,
	.make = thin_make,
	.start = start,
	.stop = stop,
	.is_started = pool_is_up,
	.create = create,
	.snapshot = snapshot,
	.copy = snapshot,
	.destroy = destroy,
	.activate = activate,
	.deactivate = deactivate,
	.resize = resize,
	.thaw = thaw,
	.list = thin_list,
	.describe = thin_describe,
	.open_ledger = open_ledger,
	.usage = pool_usage,
	.status = reserve_status,
	.capacity = &capacity,
	.volume_usage = thin_volume_usage,
	.volume_change = thin_volume_change,
	.host_bytes = thin_host_bytes,
	.usage_all = thin_usage_all,
	.usage_together = thin_usage_together,
};
