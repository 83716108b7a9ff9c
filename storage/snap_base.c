#include "storage/snap.h"

#include "base/cleanup.h"
#include "base/num.h"
#include "base/str.h"
#include "storage/loop.h"

#include <inttypes.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/*
 * Devices of the driver "snapshot": what others lie on.  The device of a whole
 * volume's file comes with the first that needs it and goes with the last.
 */

static void live_release(struct dm_live *live)
{
	img_mem_release(&live->params);
}

int snap_state(struct store *store, uint32_t id, struct dm_name *name,
	       struct dm_state *ret, struct img_err *err)
{
	store_volume_name(store, id, name);
	return store->dm.ops->state(store->dm.self, name, ret, err);
}

int snap_table_dev(struct store *store, const struct dm_name *name, dev_t *ret,
		   uint64_t *ret_sectors, struct img_err *err)
{
	img_auto(live_release) struct dm_live live = { 0 };
	unsigned major, minor;
	int r = store->dm.ops->table(store->dm.self, name, &live, err);

	if (r < 0)
		return r;
	if (sscanf(live.params, "%u:%u", &major, &minor) != 2)
		return img_err_set(err, IMG_E_INTERNAL, 0,
				   "the device %s has the table '%s %.60s'",
				   name->name, live.target, live.params);
	*ret = makedev(major, minor);
	if (ret_sectors)
		*ret_sectors = live.len_sectors;
	return 0;
}

int snap_ready(struct store *store, const struct dm_name *name,
	       struct dm_state *state, struct img_err *err)
{
	const struct dm_ops *dm = store->dm.ops;
	int r = dm->state(store->dm.self, name, state, err);

	if (r < 0 || !state->exists)
		return r;
	if (!state->has_table) { /* of no use to anybody */
		*state = (struct dm_state){ 0 };
		return dm->remove(store->dm.self, name, err);
	}
	return state->suspended ? dm->resume(store->dm.self, name, err) : 0;
}

int snap_attach(struct store *store, const struct snap_file *file,
		struct loop *ret, struct img_err *err)
{
	img_auto(img_mem_release) char *path = snap_path(store, file);

	return store->dm.ops->attach(store->dm.self, path, ret, err);
}

int snap_grow_file(struct store *store, const struct snap_file *file,
		   uint64_t bytes, uint64_t *ret_bytes, struct img_err *err)
{
	img_auto(img_mem_release) char *path = snap_path(store, file);
	struct stat st;

	if (stat(path, &st) < 0)
		return img_err_sys(err, "cannot use %s", path);
	*ret_bytes = (uint64_t)st.st_size;
	if (*ret_bytes >= bytes)
		return 0;
	*ret_bytes = bytes;
	return truncate(path, (off_t)bytes) < 0
		       ? img_err_sys(err, "cannot make %s larger", path)
		       : 0;
}

int snap_base_up(struct store *store, const struct snap_file *file,
		 uint64_t bytes, bool read_only, struct loop *loop,
		 dev_t *ret_lower, dev_t *ret, struct img_err *err)
{
	struct dm_table table = { .target = "snapshot-origin",
				  .read_only = read_only };
	struct dm_state state = { 0 };
	struct dm_name name;
	uint64_t have = 0, sectors = 0;
	char params[32];
	int r;

	store_volume_name(store, file->id, &name);
	r = snap_grow_file(store, file, bytes, &have, err);
	if (r == 0)
		r = snap_ready(store, &name, &state, err);
	if (r < 0)
		return r;
	if (state.exists) {
		*ret = state.dev;
		r = snap_table_dev(store, &name, ret_lower, &sectors, err);
		if (r < 0 || num_sectors(bytes) <= sectors)
			return r;
		/* It grew since: who needs that has a loop of its own. */
		r = snap_attach(store, file, loop, err);
		*ret_lower = loop->dev;
		return r;
	}
	r = snap_attach(store, file, loop, err);
	if (r < 0)
		return r;
	table.len_sectors = num_sectors(have);
	(void)snprintf(params, sizeof(params), "%u:%u", major(loop->dev),
		       minor(loop->dev));
	table.params = params;
	*ret_lower = loop->dev;
	return store->dm.ops->create(store->dm.self, &name, &table, ret, err);
}

int snap_is_wanted(struct store *store, uint32_t id, struct img_err *err)
{
	int64_t n = 0;
	int r = db_get_int(store->db, &n, err,
			   "SELECT count(*) FROM intents WHERE volume = ?", "i",
			   (int64_t)id);

	return r < 0 ? r : n > 0;
}

/* All of them are on what its own is on. */
int snap_has_others(struct store *store, const struct dm_name *name,
		    struct img_err *err)
{
	unsigned holders = 0;
	dev_t lower = 0;
	int r = snap_table_dev(store, name, &lower, NULL, err);

	if (r == 0)
		r = store->dm.ops->holders(store->dm.self, lower, &holders,
					   err);
	return r < 0 ? r : holders > 1;
}

int snap_is_needed(struct store *store, uint32_t base, struct img_err *err)
{
	struct dm_state state = { 0 };
	struct dm_name name;
	int r = lock_is_held(store->lock_fd, LOCK_BASES + base, err);

	if (r == 0)
		r = snap_state(store, base, &name, &state, err);
	if (r != 0 || !state.exists || !state.has_table)
		return r;
	return snap_has_others(store, &name, err);
}

int snap_base_down(struct store *store, uint32_t base, struct img_err *err)
{
	struct img_err used = { 0 };
	struct dm_state state = { 0 };
	struct dm_name name;
	int r;

	store_volume_name(store, base, &name);
	r = snap_ready(store, &name, &state, err);
	if (r < 0 || !state.exists || state.open_count > 0)
		return r;
	r = snap_is_wanted(store, base, err);
	if (r != 0)
		return r < 0 ? r : 0;
	r = snap_has_others(store, &name, err);
	if (r != 0)
		return r < 0 ? r : 0;
	r = store->dm.ops->remove(store->dm.self, &name, &used);
	if (r < 0 && r != -IMG_E_BUSY && r != -IMG_E_NOT_FOUND) {
		*err = used;
		return r;
	}
	return 0;
}

int snap_thaw(struct store *store, const struct volume *volume,
	      struct img_err *err)
{
	struct dm_state state = { 0 };
	struct dm_name name;
	int r = snap_state(store, volume->id, &name, &state, err);

	if (r < 0 || !state.exists || !state.suspended)
		return r;
	return store->dm.ops->resume(store->dm.self, &name, err);
}
