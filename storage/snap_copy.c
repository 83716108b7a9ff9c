#include "storage/snap.h"

#include "base/cleanup.h"
#include "base/num.h"
#include "base/str.h"
#include "storage/snap_cow.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

/* One request to the kernel: a signal is seen between two. */
#define COPY_BYTES (64 * MIB)
/* For file systems whose files the kernel cannot copy. */
#define BUFFER_BYTES (1 * MIB)

int snap_clone_file(int from, int to)
{
	return ioctl(to, FICLONE, from) == 0;
}

static bool cannot_copy(int e)
{
	return e == EXDEV || e == ENOSYS || e == EOPNOTSUPP || e == EINVAL;
}

static int copy_by_hand(int from, int to, off_t at, off_t end, const char *what,
			struct img_err *err)
{
	img_auto(img_mem_release) char *buffer = mem_alloc(BUFFER_BYTES);

	while (at < end) {
		size_t want = (uint64_t)(end - at) < BUFFER_BYTES
				      ? (size_t)(end - at)
				      : BUFFER_BYTES;
		ssize_t n = pread(from, buffer, want, at);
		ssize_t done = n > 0 ? pwrite(to, buffer, (size_t)n, at) : n;

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return img_err_sys(err, "cannot copy %s", what);
		if (done == 0)
			return 0; /* the file ends there */
		at += done;
	}
	return 0;
}

static int copy_range(int from, int to, off_t at, off_t end, const char *what,
		      struct img_err *err)
{
	while (at < end) {
		off_t in = at, out = at;
		uint64_t left = (uint64_t)(end - at);
		ssize_t n =
			copy_file_range(from, &in, to, &out,
					left < COPY_BYTES ? left : COPY_BYTES,
					0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && cannot_copy(errno))
			return copy_by_hand(from, to, at, end, what, err);
		if (n < 0)
			return img_err_sys(err, "cannot copy %s", what);
		if (n == 0)
			return 0;
		at += n;
	}
	return 0;
}

static int copy_data(int from, int to, const char *what, struct img_err *err)
{
	off_t at = 0;

	for (;;) {
		off_t data = lseek(from, at, SEEK_DATA);
		off_t hole;
		int r;

		if (data < 0 && errno == ENXIO)
			return 0; /* holes to the end */
		hole = data < 0 ? -1 : lseek(from, data, SEEK_HOLE);
		if (hole < 0)
			return img_err_sys(err, "cannot look for holes in %s",
					   what);
		r = copy_range(from, to, data, hole, what, err);
		if (r < 0)
			return r;
		at = hole;
	}
}

int snap_copy_file(int from, int to, const char *what, struct img_err *err)
{
	struct stat st;

	if (snap_clone_file(from, to))
		return 0;
	if (fstat(from, &st) < 0 || ftruncate(to, st.st_size) < 0)
		return img_err_sys(err, "cannot copy %s", what);
	return copy_data(from, to, what, err);
}

static int create_file(struct store *store, const struct snap_file *file,
		       int *ret, struct img_err *err)
{
	img_auto(img_mem_release) char *path = snap_path(store, file);

	*ret = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (*ret < 0 && errno == EEXIST)
		return img_err_set(err, IMG_E_EXISTS, 0, "%s is there already",
				   path);
	return *ret < 0 ? img_err_sys(err, "cannot create %s", path) : 0;
}

static int open_file(struct store *store, const struct snap_file *file,
		     int *ret, char **ret_path, struct img_err *err)
{
	*ret_path = snap_path(store, file);
	*ret = open(*ret_path, O_RDONLY | O_CLOEXEC);
	return *ret < 0 ? img_err_sys(err, "cannot open %s", *ret_path) : 0;
}

/* Suspends an active volume, its file system frozen. */
static int freeze(struct store *store, uint32_t id, struct dm_hold *hold,
		  struct dm_name *name, struct img_err *err)
{
	struct dm_state state = { 0 };
	int r = snap_state(store, id, name, &state, err);

	if (r < 0 || !state.has_table)
		return r;
	hold->name = name;   /* even a failed suspend is resumed */
	if (state.suspended) /* by one that died: its volume's lock is ours */
		return 0;
	return store->dm.ops->suspend(store->dm.self, name, err);
}

static int go_on(struct store *store, struct dm_hold *hold, struct img_err *err)
{
	int r = 0;

	if (hold->name)
		r = store->dm.ops->resume(store->dm.self, hold->name, err);
	if (r == 0)
		hold->name = NULL;
	return r;
}

/* An empty store over a base that stays as it is. */
static int new_cow(struct store *store, const struct volume *volume,
		   struct img_err *err)
{
	const struct snap_file file = { SNAP_COW, volume->id, volume->origin };
	img_auto(lock_release) struct lock lock = { .fd = -1 };
	img_auto(img_fd_release) int fd = -1;
	struct snap_file base = { 0 };
	int r = snap_lock_base(store, volume->origin, &lock, err);

	if (r == 0)
		r = snap_find_base(store, volume->origin, &base, err);
	if (r == 0)
		r = create_file(store, &file, &fd, err);
	if (r < 0)
		return r;
	return ftruncate(fd, (off_t)snap_cow_bytes(volume->size_bytes,
						   store->sizes.chunk_bytes)) <
			       0
		       ? img_err_sys(err, "cannot size volume %" PRIu32,
				     volume->id)
		       : 0;
}

/* A copy of what another volume changed, over the same base. */
static int copy_cow(struct store *store, const struct volume *volume,
		    const struct snap_file *origin, struct img_err *err)
{
	const struct snap_file file = { SNAP_COW, volume->id, origin->base };
	img_auto(dm_hold_release) struct dm_hold hold = { .dm = &store->dm };
	img_auto(lock_release) struct lock lock = { .fd = -1 };
	img_auto(img_mem_release) char *path = NULL;
	img_auto(img_fd_release) int from = -1;
	img_auto(img_fd_release) int to = -1;
	struct dm_name name;
	int r = snap_lock_base(store, origin->base, &lock, err);

	if (r == 0)
		r = open_file(store, origin, &from, &path, err);
	if (r == 0)
		r = create_file(store, &file, &to, err);
	lock_release(&lock); /* the base stays for its file now */
	if (r == 0)
		r = freeze(store, origin->id, &hold, &name, err);
	if (r == 0)
		r = snap_copy_file(from, to, path, err);
	if (r == 0)
		r = go_on(store, &hold, err);
	return r;
}

int snap_snapshot(struct store *store, const struct volume *volume,
		  struct img_err *err)
{
	struct snap_file origin = { 0 };
	int r = snap_need_room(store, 0, err);

	if (r == 0)
		r = snap_find(store, volume->origin, 0, &origin, err);
	if (r < 0)
		return r;
	switch (origin.kind) {
	case SNAP_COW:
		return copy_cow(store, volume, &origin, err);
	case SNAP_MERGE:
		return img_err_set(err, IMG_E_BUSY, 0,
				   "its merge into its image has not ended");
	case SNAP_WHOLE:
	case SNAP_BASE:
	case SNAP_NONE:
		break;
	}
	return new_cow(store, volume, err);
}

/* Where blocks can be shared the volume stands still for just that long, and
 * what it has changed is read from the copy. */
static int apply(struct store *store, const struct snap_file *origin, int to,
		 uint64_t *ret_bytes, struct img_err *err)
{
	img_auto(dm_hold_release) struct dm_hold hold = { .dm = &store->dm };
	img_auto(img_mem_release) char *dir =
		mem_printf("%s/volumes", store->root);
	img_auto(img_mem_release) char *path = NULL;
	img_auto(img_fd_release) int cow = -1;
	img_auto(img_fd_release) int copy =
		open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	bool copied = false;
	struct dm_name name;
	int r = open_file(store, origin, &cow, &path, err);

	if (r == 0)
		r = freeze(store, origin->id, &hold, &name, err);
	if (r == 0 && hold.name && copy >= 0)
		copied = snap_clone_file(cow, copy) > 0;
	if (r == 0 && copied)
		r = go_on(store, &hold, err);
	if (r == 0)
		r = snap_cow_apply(copied ? copy : cow, path, to, ret_bytes,
				   err);
	if (r == 0)
		r = go_on(store, &hold, err);
	return r;
}

static uint64_t blocks_bytes(int fd)
{
	struct stat st;

	return fstat(fd, &st) < 0 ? 0 : (uint64_t)st.st_blocks * SECTOR_BYTES;
}

int snap_copy(struct store *store, const struct volume *volume,
	      struct img_err *err)
{
	const struct snap_file file = { SNAP_WHOLE, volume->id, volume->id };
	img_auto(img_mem_release) char *path = NULL;
	img_auto(img_fd_release) int from = -1;
	img_auto(img_fd_release) int to = -1;
	struct snap_file origin = { 0 }, base = { 0 };
	uint64_t changed = 0;
	int r = snap_find(store, volume->origin, 0, &origin, err);

	if (r < 0)
		return r;
	if (origin.kind == SNAP_NONE || origin.kind == SNAP_MERGE)
		return img_err_set(err, IMG_E_BUSY, 0,
				   "volume %" PRIu32 " cannot be copied now",
				   volume->origin);
	r = snap_find_base(store, origin.base, &base, err);
	if (r == 0)
		r = open_file(store, &base, &from, &path, err);
	if (r == 0)
		r = create_file(store, &file, &to, err);
	if (r < 0)
		return r;
	if (!snap_clone_file(from, to)) {
		r = snap_need_room(store, blocks_bytes(from), err);
		if (r == 0)
			r = snap_copy_file(from, to, path, err);
	}
	if (r == 0 && ftruncate(to, (off_t)volume->size_bytes) < 0)
		r = img_err_sys(err, "cannot size volume %" PRIu32, volume->id);
	if (r == 0 && origin.kind == SNAP_COW)
		r = apply(store, &origin, to, &changed, err);
	if (r < 0)
		return r;
	snap_note_change(to, origin.base, changed);
	if (fsync(to) < 0)
		return img_err_sys(err, "cannot sync volume %" PRIu32,
				   volume->id);
	return snap_sync_names(store, err);
}
