#include "image/raw.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/num.h"
#include "base/str.h"
#include "image/ext4_check.h"
#include "image/ext4_used.h"

#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define BUFFER_BYTES MIB
/* What is all zero of this size is not written. */
#define GRAIN_BYTES  4096u
#define TAR_MAGIC_AT 257

struct copy {
	int in, out;
	uint8_t *buffer;
	uint64_t done_bytes, total_bytes;
	const struct progress *progress;
};

static void copy_init(struct copy *c, int in, int out, uint64_t total_bytes,
		      const struct progress *progress)
{
	*c = (struct copy){ .in = in,
			    .out = out,
			    .total_bytes = total_bytes,
			    .progress = progress };
	c->buffer = aligned_alloc(GRAIN_BYTES, BUFFER_BYTES);
	if (!c->buffer)
		abort(); /* as base/str.h does */
}

static void copy_release(struct copy *c)
{
	free(c->buffer);
}

static bool is_zero(const uint8_t *bytes, size_t n)
{
	return !bytes[0] && memcmp(bytes, bytes + 1, n - 1) == 0;
}

/* Writes what of the buffer is not zero, in stretches as long as can be. */
static int write_out(struct copy *c, uint64_t at, size_t n, struct img_err *err)
{
	size_t begin = 0, end;

	while (begin < n) {
		int r;

		for (; begin < n; begin += GRAIN_BYTES)
			if (!is_zero(c->buffer + begin, GRAIN_BYTES))
				break;
		for (end = begin; end < n; end += GRAIN_BYTES)
			if (is_zero(c->buffer + end, GRAIN_BYTES))
				break;
		if (begin == end)
			break;
		r = file_pwrite(c->out, c->buffer + begin, end - begin,
				at + begin, "the copy", err);
		if (r < 0)
			return r;
		begin = end;
	}
	return 0;
}

/* @begin is a multiple of the grain; what is beyond @end in the last grain is
 * taken as zeroes. */
static int copy_range(struct copy *c, uint64_t begin, uint64_t end,
		      struct img_err *err)
{
	while (begin < end) {
		uint64_t n = end - begin;
		size_t whole;
		int r;

		if (n > BUFFER_BYTES)
			n = BUFFER_BYTES;
		whole = (size_t)num_align_up(n, GRAIN_BYTES);
		memset(c->buffer + n, 0, whole - n);
		r = file_pread(c->in, c->buffer, n, begin, "the original", err);
		if (r == 0)
			r = write_out(c, begin, whole, err);
		if (r < 0)
			return r;
		begin += n;
		c->done_bytes += n;
		progress_update(c->progress, c->done_bytes, c->total_bytes);
		if (progress_is_stopped(c->progress))
			return img_err_set(err, IMG_E_INTERRUPTED, 0,
					   "interrupted");
	}
	return 0;
}

/* What a file system of files says is data; all of it where it cannot say. */
static int copy_file(struct copy *c, uint64_t size, struct img_err *err)
{
	uint64_t at = 0;

	while (at < size) {
		off_t data = lseek(c->in, (off_t)at, SEEK_DATA);
		off_t hole = data < 0 ? -1 : lseek(c->in, data, SEEK_HOLE);
		uint64_t end;
		int r;

		if (data < 0 && errno == ENXIO)
			return 0; /* a hole up to the end */
		if (data < 0)
			data = (off_t)at;
		end = hole < 0 || (uint64_t)hole > size ? size : (uint64_t)hole;
		at = (uint64_t)data / GRAIN_BYTES * GRAIN_BYTES;
		r = copy_range(c, at, end, err);
		if (r < 0)
			return r;
		at = num_align_up(end, GRAIN_BYTES);
	}
	return 0;
}

static int sync_out(const struct copy *c, struct img_err *err)
{
	return fsync(c->out) < 0 ? img_err_sys(err, "cannot sync the copy") : 0;
}

static int size_of(int fd, const struct stat *st, uint64_t *ret,
		   const char *path, struct img_err *err)
{
	*ret = (uint64_t)st->st_size;
	if (S_ISBLK(st->st_mode) && ioctl(fd, BLKGETSIZE64, ret) < 0)
		return img_err_sys(err, "cannot learn the size of %s", path);
	return 0;
}

int raw_open(const char *path, int *ret_fd, uint64_t *ret_size_bytes,
	     struct img_err *err)
{
	img_auto(img_fd_release) int fd = -1;
	uint8_t head[EXT4_PEEK_BYTES];
	struct stat st;
	int r;

	*ret_fd = -1;
	if (stat(path, &st) < 0)
		return img_err_sys(err, "cannot open %s", path);
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return 0; /* opening a pipe would wait for its writer */
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return img_err_sys(err, "cannot open %s", path);
	if (pread(fd, head, sizeof(head), 0) != sizeof(head) ||
	    memcmp(head + TAR_MAGIC_AT, "ustar", 5) == 0 || !ext4_peek(head))
		return 0;
	r = size_of(fd, &st, ret_size_bytes, path, err);
	if (r == 0)
		*ret_fd = img_fd_take(&fd);
	return r;
}

int raw_read(int in, uint64_t size_bytes, int fd,
	     const struct progress *progress, struct img_err *err)
{
	img_auto(copy_release) struct copy c;
	int r;

	copy_init(&c, in, fd, size_bytes, progress);
	r = copy_file(&c, size_bytes, err);
	if (r == 0)
		r = sync_out(&c, err);
	/* The copy, which nobody can change any more. */
	return r < 0 ? r : ext4_check(fd, size_bytes, progress, err);
}

static int add_used(void *self, uint64_t begin, uint64_t end,
		    struct img_err *err)
{
	struct copy *c = self;

	begin = begin / GRAIN_BYTES * GRAIN_BYTES;
	return copy_range(c, begin, end, err);
}

static int count_used(void *self, uint64_t begin, uint64_t end,
		      struct img_err *err)
{
	*(uint64_t *)self += end - begin;
	return 0;
}

int raw_write(int fd, uint64_t size_bytes, int out,
	      const struct progress *progress, struct img_err *err)
{
	img_auto(ext4_used_free) struct ext4_used *used = NULL;
	img_auto(copy_release) struct copy c;
	struct img_err unknown = { 0 };
	uint64_t total = 0;
	int r;

	copy_init(&c, fd, out, size_bytes, progress);
	if (ftruncate(out, (off_t)size_bytes) < 0)
		return img_err_sys(err, "cannot make the copy");
	r = ext4_used_open(fd, size_bytes, &used, &unknown);
	if (r < 0 && unknown.code == IMG_E_SYS) {
		*err = unknown;
		return r;
	}
	if (r < 0) {
		r = copy_file(&c, size_bytes, err);
	} else {
		IMG_IGNORE(ext4_used_each(used, count_used, &total, err));
		c.total_bytes = total;
		r = ext4_used_each(used, add_used, &c, err);
	}
	return r < 0 ? r : sync_out(&c, err);
}
