#include "storage/snap.h"

#include "base/cleanup.h"
#include "base/num.h"
#include "base/str.h"
#include "storage/capacity.h"
#include "storage/snap_cow.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>

/* "BASE BYTES": what a copy has changed since.  A hint, on file systems that
 * have such attributes. */
#define CHANGE_XATTR "user.img.change"

/* What containers may still write when nothing new is begun any more: this
 * part of the file system, but no more than that. */
#define RESERVE_DIVISOR	  16
#define RESERVE_MAX_BYTES (256 * MIB)

#define BALLAST_BYTES MIB

#define EXTENTS 256

static int ask_host(struct store *store, struct statvfs *ret,
		    struct img_err *err)
{
	return statvfs(store->root, ret) < 0
		       ? img_err_sys(err, "cannot ask for the space of %s",
				     store->root)
		       : 0;
}

static uint64_t reserve_bytes(const struct statvfs *host)
{
	uint64_t part = host->f_blocks * host->f_frsize / RESERVE_DIVISOR;

	return part < RESERVE_MAX_BYTES ? part : RESERVE_MAX_BYTES;
}

int snap_need_room(struct store *store, uint64_t bytes, struct img_err *err)
{
	char left[SIZE_TEXT_MAX], need[SIZE_TEXT_MAX];
	struct statvfs host;
	uint64_t reserve, have;
	int r = ask_host(store, &host, err);

	if (r < 0)
		return r;
	reserve = reserve_bytes(&host);
	have = host.f_bavail * host.f_frsize;
	if (have >= reserve && have - reserve >= bytes)
		return 0;
	return img_err_set(err, IMG_E_NO_SPACE, 0,
			   "the file system of %s has %s left, %s are needed: "
			   "a container whose changes find no room is lost",
			   store->root, num_format_size(have, left),
			   num_format_size(reserve + bytes, need));
}

void snap_ballast(struct store *store)
{
	img_auto(img_mem_release) char *path =
		mem_printf("%s/ballast", store->root);
	img_auto(img_fd_release) int fd = -1;
	struct img_err dropped = { 0 }; /* it is only a help */
	struct statvfs host;
	struct stat st;
	uint64_t have;

	if (ask_host(store, &host, &dropped) < 0)
		return;
	have = host.f_bavail * host.f_frsize;
	if (stat(path, &st) < 0)
		st.st_size = 0;
	if (st.st_size && have < BALLAST_BYTES / 2)
		IMG_IGNORE(truncate(path, 0));
	if (st.st_size || have < reserve_bytes(&host) + BALLAST_BYTES)
		return;
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0)
		(void)posix_fallocate(fd, 0, BALLAST_BYTES);
}

int snap_file_bytes(struct store *store, const struct snap_file *file,
		    uint64_t *ret, struct img_err *err)
{
	img_auto(img_mem_release) char *path = snap_path(store, file);
	struct stat st;

	if (stat(path, &st) < 0)
		return img_err_sys(err, "cannot ask for the size of %s", path);
	*ret = (uint64_t)st.st_blocks * SECTOR_BYTES;
	return 0;
}

/* How much of a file's blocks other files have too, as far as the file system
 * tells. */
static uint64_t shared_bytes(struct store *store, const struct snap_file *file)
{
	img_auto(img_mem_release) char *path = snap_path(store, file);
	img_auto(img_fd_release) int fd = open(path, O_RDONLY | O_CLOEXEC);
	img_auto(img_mem_release) struct fiemap *map = mem_zalloc(
		sizeof(*map) + EXTENTS * sizeof(struct fiemap_extent));
	uint64_t shared = 0;
	bool last = fd < 0;

	while (!last) {
		map->fm_length = FIEMAP_MAX_OFFSET - map->fm_start;
		map->fm_extent_count = EXTENTS;
		if (ioctl(fd, FS_IOC_FIEMAP, map) < 0 ||
		    map->fm_mapped_extents == 0)
			break;
		for (uint32_t i = 0; i < map->fm_mapped_extents; i++) {
			const struct fiemap_extent *e = &map->fm_extents[i];

			if (e->fe_flags & FIEMAP_EXTENT_SHARED)
				shared += e->fe_length;
			last = e->fe_flags & FIEMAP_EXTENT_LAST;
			map->fm_start = e->fe_logical + e->fe_length;
		}
	}
	return shared;
}

uint64_t snap_file_own_bytes(struct store *store, const struct snap_file *file,
			     uint64_t bytes)
{
	uint64_t shared = shared_bytes(store, file);

	return shared < bytes ? bytes - shared : 0;
}

/* A base stays until the last that is made from it is gone: without the
 * volume alone nothing of it is free. */
static int whole_usage(struct store *store, const struct snap_file *file,
		       struct account_usage *ret, struct img_err *err)
{
	int r = snap_file_bytes(store, file, &ret->mapped_bytes, err);

	if (r == 0)
		r = snap_is_base(store, file->id, 0, err);
	if (r == 0)
		ret->exclusive_bytes =
			snap_file_own_bytes(store, file, ret->mapped_bytes);
	return r < 0 ? r : 0;
}

static int cow_usage(struct store *store, const struct snap_file *file,
		     struct account_usage *ret, struct img_err *err)
{
	struct snap_file base = { 0 };
	struct account_usage whole = { 0 };
	int others = 1;
	uint64_t own = 0;
	int r = snap_file_bytes(store, file, &own, err);

	if (r == 0)
		r = snap_find_base(store, file->base, &base, err);
	if (r == 0)
		r = snap_file_bytes(store, &base, &whole.mapped_bytes, err);
	/* Reads the whole directory, so only where it matters. */
	if (r == 0 && base.kind == SNAP_BASE)
		r = others = snap_is_base(store, file->base, file->id, err);
	if (r < 0)
		return r;
	ret->mapped_bytes = whole.mapped_bytes + own;
	ret->exclusive_bytes = own;
	if (base.kind == SNAP_BASE && others == 0) /* goes with it */
		ret->exclusive_bytes += whole.mapped_bytes;
	return 0;
}

int snap_volume_usage(struct store *store, uint32_t volume,
		      struct account_usage *ret, struct img_err *err)
{
	struct img_err unknown = { 0 }; /* then it is looked for */
	struct volume row = { 0 };
	struct snap_file file = { 0 };
	int r;

	IMG_IGNORE(volume_find(store, volume, &row, &unknown));
	r = snap_find(store, volume, row.origin, &file, err);
	if (r < 0 || file.kind == SNAP_NONE)
		return r;
	return file.kind == SNAP_WHOLE ? whole_usage(store, &file, ret, err)
				       : cow_usage(store, &file, ret, err);
}

void snap_note_change(int fd, uint32_t base, uint64_t bytes)
{
	char text[40];
	int len = snprintf(text, sizeof(text), "%" PRIu32 " %" PRIu64, base,
			   bytes);

	IMG_IGNORE(fsetxattr(fd, CHANGE_XATTR, text, (size_t)len, 0));
}

/* True with what the copy was noted to have changed since @base. */
static bool read_change(const char *path, uint32_t base, uint64_t *ret)
{
	char text[40];
	ssize_t len = getxattr(path, CHANGE_XATTR, text, sizeof(text) - 1);
	uint32_t since;

	if (len < 0)
		return false;
	text[len] = '\0';
	return sscanf(text, "%" SCNu32 " %" SCNu64, &since, ret) == 2 &&
	       since == base;
}

struct sum {
	uint64_t chunk_bytes, bytes;
};

static int add(void *self, const struct snap_exception *exception,
	       struct img_err *err)
{
	struct sum *sum = self;

	sum->bytes += sum->chunk_bytes;
	return 0;
}

static int cow_change(const char *path, uint64_t *ret, struct img_err *err)
{
	img_auto(img_fd_release) int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct snap_cow cow;
	struct sum sum = { 0 };
	int r;

	if (fd < 0)
		return img_err_sys(err, "cannot open %s", path);
	r = snap_cow_open(fd, path, &cow, err);
	sum.chunk_bytes = cow.chunk_bytes;
	if (r == 0)
		r = snap_cow_each(fd, path, &cow, add, &sum, err);
	*ret = sum.bytes;
	return r;
}

int snap_volume_change(struct store *store, uint32_t base, uint32_t volume,
		       uint64_t *ret_bytes, struct img_err *err)
{
	img_auto(img_mem_release) char *path = NULL;
	struct snap_file file = { 0 };
	int r = snap_find(store, volume, base, &file, err);

	*ret_bytes = 0;
	if (r < 0 || file.kind == SNAP_NONE)
		return r;
	path = snap_path(store, &file);
	if (file.kind != SNAP_WHOLE)
		return cow_change(path, ret_bytes, err);
	if (read_change(path, base, ret_bytes))
		return 0;
	return snap_file_bytes(store, &file, ret_bytes, err);
}

struct host_sum {
	struct store *store;
	uint64_t bytes;
};

static int add_file(void *self, const struct snap_file *file,
		    struct img_err *err)
{
	struct host_sum *sum = self;
	struct img_err gone = { 0 }; /* meanwhile */
	uint64_t bytes = 0;

	if (snap_file_bytes(sum->store, file, &bytes, &gone) == 0)
		sum->bytes += bytes;
	return 0;
}

int snap_host_bytes(struct store *store, uint64_t *ret, struct img_err *err)
{
	struct host_sum sum = { store, 0 };
	int r = snap_each(store, add_file, &sum, err);

	*ret = sum.bytes;
	return r;
}

int snap_usage(struct store *store, struct store_usage *ret,
	       struct img_err *err)
{
	struct statvfs host;
	uint64_t used = 0;
	int r = ask_host(store, &host, err);

	*ret = (struct store_usage){ 0 };
	if (r == 0)
		r = snap_host_bytes(store, &used, err);
	if (r < 0)
		return r;
	/* There is what the volumes have, and what the host has left. */
	ret->data_used_bytes = used;
	ret->data_bytes = used + host.f_bavail * host.f_frsize;
	ret->read_only = host.f_flag & ST_RDONLY;
	ret->out_of_space = host.f_bavail == 0;
	return 0;
}

int snap_status(struct store *store, struct capacity_status *ret,
		struct img_err *err)
{
	struct statvfs host;
	int64_t id = 0;
	int r = snap_usage(store, &ret->usage, err);

	if (r == 0)
		r = ask_host(store, &host, err);
	if (r == 0)
		r = db_get_int(store->db, &id, err,
			       "SELECT seq FROM sqlite_sequence"
			       " WHERE name = 'volumes'",
			       "");
	if (r < 0)
		return r;
	ret->data_reserve_bytes = reserve_bytes(&host);
	ret->can_grow = true;
	ret->volume_id = (uint64_t)id;
	return 0;
}
