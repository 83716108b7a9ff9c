#include "storage/snap.h"

#include "base/cleanup.h"
#include "base/num.h"
#include "base/progress.h"
#include "base/str.h"
#include "storage/loop.h"
#include "storage/snap_cow.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <time.h>

/*
 * Folding a container into its image, as snapshot.rst says: the container's
 * device goes, the origin's becomes a snapshot-merge, and once only metadata is
 * left in the store, an origin again.
 *
 * What is done is seen from the outside: the file's name says that the merge
 * has begun, the device's table that the kernel is at it, the store's header
 * that all was merged.  So each step may be repeated, and one that died at any
 * point is gone on with.  The kernel takes exceptions out of the store only
 * after their blocks are in the origin and flushed.
 */

#define POLL_FIRST_MS 2
#define POLL_MAX_MS   100

int snap_merge_base(struct store *store, const struct volume *volume,
		    uint32_t *ret_base, unsigned *ret_others,
		    struct img_err *err)
{
	struct snap_file file = { 0 };
	int r = snap_find(store, volume->id, volume->origin, &file, err);

	*ret_base = 0;
	*ret_others = 0;
	if (r < 0 || file.kind != SNAP_COW)
		return r;
	*ret_base = file.base;
	return snap_count(store, file.base, file.id, ret_others, err);
}

/* Nothing may look at the base while it changes. */
static int begin(struct store *store, const struct volume *volume,
		 struct snap_file *file, struct img_err *err)
{
	struct snap_file merge = { SNAP_MERGE, file->id, file->base };
	struct dm_state state = { 0 };
	struct dm_name name;
	unsigned others = 0;
	int r = snap_count(store, file->base, file->id, &others, err);

	if (r == 0 && others > 0)
		r = img_err_set(err, IMG_E_BUSY, 0,
				"others are made from its image");
	if (r == 0)
		r = snap_deactivate(store, volume, err);
	if (r == 0)
		r = snap_state(store, file->base, &name, &state, err);
	if (r == 0 && state.exists)
		r = img_err_set(err, IMG_E_BUSY, 0,
				"the device of its image is in use");
	if (r == 0)
		r = snap_rename(store, file, &merge, err);
	if (r == 0)
		*file = merge;
	return r;
}

static bool is_merging(struct store *store, const struct dm_name *name)
{
	struct dm_live live = { 0 };
	struct img_err dropped = { 0 }; /* no device, no merge */
	int r = store->dm.ops->table(store->dm.self, name, &live, &dropped);

	img_mem_release(&live.params);
	return r == 0 && strcmp(live.target, "snapshot-merge") == 0;
}

/* Makes the origin's device a snapshot-merge, if it is none yet. */
static int load_merge(struct store *store, const struct volume *volume,
		      const struct snap_file *file,
		      const struct snap_file *base, struct img_err *err)
{
	img_auto(lock_release) struct lock lock = { .fd = -1 };
	img_auto(loop_release) struct loop lower = LOOP_NONE;
	img_auto(loop_release) struct loop cow = LOOP_NONE;
	img_auto(img_mem_release) char *path = snap_path(store, file);
	const struct dm_ops *dm = store->dm.ops;
	struct dm_table table = {
		.len_sectors = num_sectors(volume->size_bytes),
		.target = "snapshot-merge",
	};
	struct dm_name name;
	dev_t lower_dev = 0, dev = 0;
	char params[80];
	int r = snap_lock_base(store, file->base, &lock, err);

	if (r == 0)
		r = snap_base_up(store, base, volume->size_bytes, false, &lower,
				 &lower_dev, &dev, err);
	if (r < 0)
		return r;
	store_volume_name(store, file->base, &name);
	if (is_merging(store, &name))
		return 0;
	r = dm->attach(store->dm.self, path, &cow, err);
	if (r < 0)
		return r;
	(void)snprintf(params, sizeof(params), "%u:%u %u:%u P %" PRIu64,
		       major(lower_dev), minor(lower_dev), major(cow.dev),
		       minor(cow.dev), num_sectors(store->sizes.chunk_bytes));
	table.params = params;
	r = dm->load(store->dm.self, &name, &table, err);
	return r < 0 ? r : dm->resume(store->dm.self, &name, err);
}

/* 1 when only metadata is left in the store. */
static int ask(struct store *store, const struct dm_name *name,
	       uint64_t *ret_left, struct img_err *err)
{
	img_auto(img_mem_release) char *status = NULL;
	uint64_t allocated = 0, metadata = 0;
	int r = store->dm.ops->status(store->dm.self, name, &status, err);

	if (r < 0)
		return r;
	if (sscanf(status, "%" SCNu64 "/%*u %" SCNu64, &allocated, &metadata) !=
	    2)
		return img_err_set(err, IMG_E_CORRUPT, 0,
				   "the kernel could not merge it: its status "
				   "is '%s'",
				   status);
	*ret_left = (allocated - metadata) * SECTOR_BYTES;
	return allocated == metadata;
}

static int wait_for_end(struct store *store, uint32_t base,
			const struct progress *progress, struct img_err *err)
{
	long wait_ms = POLL_FIRST_MS;
	uint64_t left = 0, total = 0;
	struct dm_name name;

	store_volume_name(store, base, &name);
	for (;;) {
		struct timespec step = { .tv_nsec = wait_ms * 1000000L };
		int r = ask(store, &name, &left, err);

		if (r < 0)
			return r;
		if (left > total)
			total = left;
		progress_update(progress, total - left, total);
		if (r > 0)
			return 0;
		if (progress_is_stopped(progress))
			return img_err_set(err, IMG_E_INTERRUPTED, 0,
					   "interrupted: the next command "
					   "goes on with it");
		(void)nanosleep(&step, NULL); /* a signal only hurries it */
		wait_ms = wait_ms * 2 > POLL_MAX_MS ? POLL_MAX_MS : wait_ms * 2;
	}
}

/* An origin again; and since nobody needs that now, no device. */
static int unload_merge(struct store *store, const struct volume *volume,
			uint32_t base, struct img_err *err)
{
	img_auto(lock_release) struct lock lock = { .fd = -1 };
	const struct dm_ops *dm = store->dm.ops;
	struct dm_table table = {
		.len_sectors = num_sectors(volume->size_bytes),
		.target = "snapshot-origin",
	};
	struct dm_name name;
	char params[32];
	dev_t lower = 0;
	int r = snap_lock_base(store, base, &lock, err);

	store_volume_name(store, base, &name);
	if (r == 0)
		r = snap_table_dev(store, &name, &lower, NULL, err);
	if (r < 0)
		return r;
	(void)snprintf(params, sizeof(params), "%u:%u", major(lower),
		       minor(lower));
	table.params = params;
	r = dm->load(store->dm.self, &name, &table, err);
	if (r == 0)
		r = dm->resume(store->dm.self, &name, err);
	return r < 0 ? r : dm->remove(store->dm.self, &name, err);
}

static int sync_file(const char *path, struct img_err *err)
{
	img_auto(img_fd_release) int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 || fsync(fd) < 0
		       ? img_err_sys(err, "cannot sync %s", path)
		       : 0;
}

static int is_new(const char *path, struct img_err *err)
{
	img_auto(img_fd_release) int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct snap_cow cow;
	int r;

	if (fd < 0)
		return img_err_sys(err, "cannot open %s", path);
	r = snap_cow_open(fd, path, &cow, err);
	return r < 0 ? r : cow.is_new;
}

/* The base has it all, on the disk: the store begins anew. */
static int empty_store(struct store *store, const struct volume *volume,
		       const char *path, struct img_err *err)
{
	img_auto(img_fd_release) int fd = open(path, O_WRONLY | O_CLOEXEC);
	uint64_t bytes =
		snap_cow_bytes(volume->size_bytes, store->sizes.chunk_bytes);

	if (fd < 0 || ftruncate(fd, 0) < 0 || ftruncate(fd, (off_t)bytes) < 0 ||
	    fsync(fd) < 0)
		return img_err_sys(err, "cannot empty %s", path);
	return 0;
}

static int merge_file(struct store *store, const struct volume *volume,
		      const struct snap_file *file,
		      const struct progress *progress, struct img_err *err)
{
	const struct snap_file cow = { SNAP_COW, file->id, file->base };
	img_auto(img_mem_release) char *path = snap_path(store, file);
	img_auto(img_mem_release) char *base_path = NULL;
	struct snap_file base = { 0 };
	int r = snap_find_base(store, file->base, &base, err);

	if (r < 0)
		return r;
	base_path = snap_path(store, &base);
	r = is_new(path, err);
	if (r == 0) {
		r = load_merge(store, volume, file, &base, err);
		if (r == 0)
			r = wait_for_end(store, file->base, progress, err);
		if (r == 0)
			r = unload_merge(store, volume, file->base, err);
		if (r == 0)
			r = sync_file(base_path, err);
		if (r == 0)
			r = empty_store(store, volume, path, err);
	}
	return r < 0 ? r : snap_rename(store, file, &cow, err);
}

int snap_merge(struct store *store, const struct volume *volume,
	       const struct progress *progress, struct img_err *err)
{
	struct snap_file file = { 0 };
	int r = snap_find(store, volume->id, volume->origin, &file, err);

	if (r == 0 && file.kind == SNAP_COW)
		r = begin(store, volume, &file, err);
	if (r < 0)
		return r;
	if (file.kind != SNAP_MERGE)
		return img_err_set(err, IMG_E_CORRUPT, 0,
				   "%s/volumes has no changes of volume "
				   "%" PRIu32 " to merge",
				   store->root, volume->id);
	return merge_file(store, volume, &file, progress, err);
}
