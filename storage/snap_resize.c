#include "storage/snap.h"

#include "base/cleanup.h"
#include "base/num.h"

int snap_resize_check(struct store *store, const struct volume *volume,
		      struct img_err *err)
{
	struct snap_file file = { 0 };
	int r = snap_find(store, volume->id, volume->origin, &file, err);

	if (r == 0 && file.kind == SNAP_WHOLE)
		r = img_err_set(err, IMG_E_UNSUPPORTED, 0,
				"on the driver 'snapshot' volumes keep their "
				"size");
	return r;
}

/* The device of a container gets another length.  Its files grow, and a loop
 * device does not notice: it gets new ones, over the same files, which is right
 * only while nothing is written.  So it is suspended from before the new table
 * is loaded until that is in place; should this process die meanwhile, the
 * intent of the resize is recovered by doing it again. */
static int exchange(struct store *store, const struct volume *volume,
		    const struct snap_file *file, const struct dm_state *state,
		    const struct dm_name *name, struct img_err *err)
{
	img_auto(dm_hold_release) struct dm_hold hold = { .dm = &store->dm };
	img_auto(snap_table_release) struct snap_table table = SNAP_TABLE_NONE;
	const struct dm_ops *dm = store->dm.ops;
	struct volume same = *volume;
	int r;

	same.read_only = state->read_only;
	r = snap_cow_table(store, &same, file, &table, err);
	if (r < 0)
		return r;
	hold.name = name; /* even a failed suspend is resumed */
	if (!state->suspended)
		r = dm->suspend(store->dm.self, name, err);
	if (r == 0)
		r = dm->load(store->dm.self, name, &table.table, err);
	if (r == 0)
		r = dm->resume(store->dm.self, name, err);
	if (r == 0)
		hold.name = NULL;
	return r;
}

int snap_resize(struct store *store, const struct volume *volume,
		struct img_err *err)
{
	img_auto(lock_release) struct lock lock = { .fd = -1 };
	struct snap_file file = { 0 };
	struct dm_state state = { 0 };
	struct dm_name name;
	uint64_t sectors = 0;
	dev_t lower = 0;
	int r = snap_find(store, volume->id, volume->origin, &file, err);

	if (r == 0)
		r = snap_state(store, volume->id, &name, &state, err);
	if (r < 0 || !state.has_table || file.kind != SNAP_COW)
		return r;
	r = snap_lock_base(store, file.base, &lock, err);
	if (r == 0)
		r = snap_table_dev(store, &name, &lower, &sectors, err);
	if (r < 0)
		return r;
	if (sectors == num_sectors(volume->size_bytes))
		return state.suspended ? store->dm.ops->resume(store->dm.self,
							       &name, err)
				       : 0;
	return exchange(store, volume, &file, &state, &name, err);
}
