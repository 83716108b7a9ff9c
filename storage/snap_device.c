#include "storage/snap.h"

#include "base/cleanup.h"
#include "base/num.h"
#include "base/str.h"
#include "storage/loop.h"
#include "storage/snap_cow.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/sysmacros.h>

/*
 * Devices of the driver "snapshot": what comes and goes with a container.
 */

/* Creates the snapshot while its origin is suspended, as the kernel wants. */
static int load(struct store *store, const struct dm_name *name,
		const struct dm_name *origin, const struct dm_table *table,
		dev_t *ret, struct img_err *err)
{
	img_auto(dm_hold_release) struct dm_hold hold = { .dm = &store->dm,
							  .name = origin };
	const struct dm_ops *dm = store->dm.ops;
	int r = dm->suspend(store->dm.self, origin, err);

	if (r == 0)
		r = dm->create(store->dm.self, name, table, ret, err);
	if (r == 0)
		r = dm->resume(store->dm.self, origin, err);
	if (r == 0)
		hold.name = NULL;
	return r;
}

int snap_cow_table(struct store *store, const struct volume *volume,
		   const struct snap_file *file, struct snap_table *ret,
		   struct img_err *err)
{
	uint64_t chunk = store->sizes.chunk_bytes, have = 0;
	struct snap_file base = { 0 };
	dev_t lower = 0, origin = 0;
	int r = snap_find_base(store, file->base, &base, err);

	if (r == 0)
		r = snap_base_up(store, &base, volume->size_bytes, true,
				 &ret->lower, &lower, &origin, err);
	if (r == 0)
		r = snap_grow_file(store, file,
				   snap_cow_bytes(volume->size_bytes, chunk),
				   &have, err);
	if (r == 0)
		r = snap_attach(store, file, &ret->cow, err);
	if (r < 0)
		return r;
	(void)snprintf(ret->params, sizeof(ret->params),
		       "%u:%u %u:%u P %" PRIu64, major(lower), minor(lower),
		       major(ret->cow.dev), minor(ret->cow.dev),
		       num_sectors(chunk));
	ret->table = (struct dm_table){
		.len_sectors = num_sectors(volume->size_bytes),
		.target = "snapshot",
		.params = ret->params,
		.read_only = volume->read_only,
	};
	return 0;
}

void snap_table_release(struct snap_table *table)
{
	loop_release(&table->lower);
	loop_release(&table->cow);
}

static int cow_up(struct store *store, const struct volume *volume,
		  const struct snap_file *file, dev_t *ret, struct img_err *err)
{
	img_auto(snap_table_release) struct snap_table table = SNAP_TABLE_NONE;
	struct dm_name name, origin;
	int r = snap_cow_table(store, volume, file, &table, err);

	store_volume_name(store, volume->id, &name);
	store_volume_name(store, file->base, &origin);
	return r < 0 ? r : load(store, &name, &origin, &table.table, ret, err);
}

int snap_check(struct store *store, uint32_t id, struct img_err *err)
{
	img_auto(img_mem_release) char *status = NULL;
	struct dm_name name;
	int r;

	store_volume_name(store, id, &name);
	r = store->dm.ops->status(store->dm.self, &name, &status, err);
	if (r < 0)
		return r;
	if (strcmp(status, "Invalid") != 0 && strcmp(status, "Overflow") != 0)
		return 0;
	return img_err_set(err, IMG_E_CORRUPT, 0,
			   "the volume %" PRIu32
			   " is invalid: the kernel could not write what "
			   "changed and gave it up",
			   id);
}

/* A store that the kernel gave up is not even loaded: it would read as its
 * origin does in part. */
static int check_file(struct store *store, const struct snap_file *file,
		      struct img_err *err)
{
	img_auto(img_mem_release) char *path = snap_path(store, file);
	img_auto(img_fd_release) int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct snap_cow cow;
	int r;

	if (fd < 0)
		return img_err_sys(err, "cannot open %s", path);
	r = snap_cow_open(fd, path, &cow, err);
	if (r == 0 && !cow.is_valid)
		return img_err_set(err, IMG_E_CORRUPT, 0,
				   "the volume %" PRIu32
				   " is invalid: the kernel could not write "
				   "what changed and gave it up; all that is "
				   "left to do is to remove it",
				   file->id);
	return r;
}

/* Removes a snapshot's device while its origin is suspended. */
static int unload(struct store *store, const struct dm_name *name,
		  uint32_t base, struct img_err *err)
{
	img_auto(dm_hold_release) struct dm_hold hold = { .dm = &store->dm };
	const struct dm_ops *dm = store->dm.ops;
	struct dm_state state = { 0 };
	struct dm_name origin;
	int r;

	store_volume_name(store, base, &origin);
	r = snap_ready(store, &origin, &state, err);
	if (r == 0 && state.exists) {
		hold.name = &origin; /* even a failed suspend is resumed */
		r = dm->suspend(store->dm.self, &origin, err);
	}
	if (r == 0)
		r = dm->remove(store->dm.self, name, err);
	if (r == 0 && hold.name) {
		r = dm->resume(store->dm.self, &origin, err);
		if (r == 0)
			hold.name = NULL;
	}
	return r;
}

int snap_volume_check(struct store *store, const struct volume *volume,
		      struct img_err *err)
{
	struct img_err dropped = { 0 }; /* no device-mapper: the file, then */
	struct snap_file file = { 0 };
	struct dm_state state = { 0 };
	struct dm_name name;
	int r = snap_find(store, volume->id, volume->origin, &file, err);

	if (r < 0 || file.kind != SNAP_COW)
		return r;
	if (snap_state(store, volume->id, &name, &state, &dropped) == 0 &&
	    state.has_table)
		return snap_check(store, volume->id, err);
	return check_file(store, &file, err);
}

static int activate_cow(struct store *store, const struct volume *volume,
			const struct snap_file *file, dev_t *ret,
			struct img_err *err)
{
	img_auto(lock_release) struct lock lock = { .fd = -1 };
	struct dm_state state = { 0 };
	struct dm_name name;
	int r = snap_lock_base(store, file->base, &lock, err);

	if (r < 0)
		return r;
	store_volume_name(store, volume->id, &name);
	r = snap_ready(store, &name, &state, err);
	if (r < 0)
		return r;
	if (state.exists && state.read_only != volume->read_only) {
		if (state.open_count > 0)
			return img_err_set(
				err, IMG_E_BUSY, 0,
				"the device %s is in use, %s", name.name,
				state.read_only ? "read-only" : "for writing");
		r = unload(store, &name, file->base, err);
		if (r < 0)
			return r;
	} else if (state.exists) {
		*ret = state.dev;
		return snap_check(store, volume->id, err);
	}
	r = check_file(store, file, err);
	if (r == 0)
		r = snap_need_room(store, 0, err);
	if (r == 0)
		r = cow_up(store, volume, file, ret, err);
	if (r < 0) {
		struct img_err dropped = { 0 }; /* the first failure counts */

		IMG_IGNORE(snap_base_down(store, file->base, &dropped));
	}
	return r;
}

int snap_activate(struct store *store, const struct volume *volume, dev_t *ret,
		  struct img_err *err)
{
	img_auto(loop_release) struct loop loop = LOOP_NONE;
	img_auto(lock_release) struct lock lock = { .fd = -1 };
	struct snap_file file = { 0 };
	dev_t lower = 0;
	int r = snap_find(store, volume->id, volume->origin, &file, err);

	if (r < 0)
		return r;
	switch (file.kind) {
	case SNAP_COW:
		return activate_cow(store, volume, &file, ret, err);
	case SNAP_MERGE:
		return img_err_set(err, IMG_E_BUSY, 0,
				   "its merge into its image has not ended");
	case SNAP_WHOLE:
		break;
	case SNAP_BASE:
	case SNAP_NONE:
		return img_err_set(err, IMG_E_NOT_FOUND, 0,
				   "%s/volumes has no volume %" PRIu32,
				   store->root, volume->id);
	}
	r = snap_lock_base(store, volume->id, &lock, err);
	return r < 0 ? r
		     : snap_base_up(store, &file, volume->size_bytes,
				    volume->read_only, &loop, &lower, ret, err);
}

static int deactivate_cow(struct store *store, const struct snap_file *file,
			  struct img_err *err)
{
	img_auto(lock_release) struct lock lock = { .fd = -1 };
	struct dm_state state = { 0 };
	struct dm_name name;
	int r = snap_lock_base(store, file->base, &lock, err);

	if (r == 0)
		r = snap_state(store, file->id, &name, &state, err);
	if (r < 0)
		return r;
	if (state.exists && state.open_count > 0)
		return img_err_set(err, IMG_E_BUSY, 0,
				   "the volume %" PRIu32 " is in use",
				   file->id);
	if (state.exists)
		r = unload(store, &name, file->base, err);
	return r < 0 ? r : snap_base_down(store, file->base, err);
}

static int deactivate_whole(struct store *store, uint32_t id,
			    struct img_err *err)
{
	img_auto(lock_release) struct lock lock = { .fd = -1 };
	struct dm_state state = { 0 };
	struct dm_name name;
	unsigned holders = 0;
	dev_t lower = 0;
	int r = snap_lock_base(store, id, &lock, err);

	if (r == 0)
		r = snap_state(store, id, &name, &state, err);
	if (r < 0 || !state.exists)
		return r;
	if (state.has_table) {
		r = snap_table_dev(store, &name, &lower, NULL, err);
		if (r == 0)
			r = store->dm.ops->holders(store->dm.self, lower,
						   &holders, err);
		if (r < 0 || holders > 1) /* what is made from it is active */
			return r;
	}
	if (state.open_count > 0)
		return img_err_set(err, IMG_E_BUSY, 0,
				   "the volume %" PRIu32 " is in use", id);
	return store->dm.ops->remove(store->dm.self, &name, err);
}

int snap_deactivate(struct store *store, const struct volume *volume,
		    struct img_err *err)
{
	struct snap_file file = { 0 };
	int r = snap_find(store, volume->id, volume->origin, &file, err);

	if (r < 0)
		return r;
	return file.kind == SNAP_COW ? deactivate_cow(store, &file, err)
				     : deactivate_whole(store, volume->id, err);
}
