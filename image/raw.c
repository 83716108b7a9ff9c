#include "image/raw.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/num.h"
#include "base/str.h"
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

static bool is_raw(const uint8_t head[EXT4_PEEK_BYTES])
{
	return memcmp(head + TAR_MAGIC_AT, "ustar", 5) != 0 && ext4_peek(head);
}

/* Leaves in @ret->fd whether it is one. */
static int look_at_file(int *fd, const char *path, struct raw_source *ret,
			struct img_err *err)
{
	uint8_t head[EXT4_PEEK_BYTES];
	struct stat st;
	int r;

	if (fstat(*fd, &st) < 0)
		return img_err_sys(err, "cannot open %s", path);
	if (pread(*fd, head, sizeof(head), 0) != sizeof(head) || !is_raw(head))
		return 0;
	r = size_of(*fd, &st, &ret->size_bytes, path, err);
	if (r == 0)
		ret->fd = img_fd_take(fd);
	return r;
}

/* Fills a buffer as far as there is something; how far, or <0. */
static ssize_t read_full(int fd, uint8_t *buffer, size_t size,
			 const struct progress *progress)
{
	size_t have = 0;

	while (have < size) {
		ssize_t n = read(fd, buffer + have, size - have);

		if (n == 0)
			break;
		if (n < 0 && (errno != EINTR || progress_is_stopped(progress)))
			return -1;
		if (n > 0)
			have += (size_t)n;
	}
	return (ssize_t)have;
}

static int look_at_stream(int *fd, struct raw_source *ret, struct img_err *err)
{
	ssize_t n = read_full(*fd, ret->head, sizeof(ret->head), NULL);

	if (n < 0)
		return img_err_sys(err, "cannot read standard input");
	ret->head_bytes = (size_t)n;
	if (ret->head_bytes < sizeof(ret->head) || !is_raw(ret->head))
		return 0;
	ret->size_bytes = ext4_peek_size(ret->head);
	ret->is_stream = true;
	ret->fd = img_fd_take(fd);
	return 0;
}

static int look_at_input(struct raw_source *ret, struct img_err *err)
{
	img_auto(img_fd_release) int fd =
		fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return img_err_sys(err, "cannot read standard input");
	if ((S_ISREG(st.st_mode) || S_ISBLK(st.st_mode)) &&
	    lseek(fd, 0, SEEK_CUR) == 0)
		return look_at_file(&fd, "standard input", ret, err);
	return look_at_stream(&fd, ret, err);
}

int raw_open(const char *path, struct raw_source *ret, struct img_err *err)
{
	img_auto(img_fd_release) int fd = -1;
	struct stat st;

	*ret = (struct raw_source){ .fd = -1 };
	if (strcmp(path, "-") == 0)
		return look_at_input(ret, err);
	if (stat(path, &st) < 0)
		return img_err_sys(err, "cannot open %s", path);
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return 0; /* opening a pipe would wait for its writer */
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return img_err_sys(err, "cannot open %s", path);
	return look_at_file(&fd, path, ret, err);
}

static int stream_failed(const struct copy *c, struct img_err *err)
{
	return progress_is_stopped(c->progress)
		       ? img_err_set(err, IMG_E_INTERRUPTED, 0, "interrupted")
		       : img_err_sys(err, "cannot read the file system");
}

static int cut_short(const struct copy *c, struct img_err *err)
{
	char have[SIZE_TEXT_MAX], want[SIZE_TEXT_MAX];

	return img_err_set(err, IMG_E_INPUT, 0,
			   "is cut short: of a file system of %s only %s came",
			   num_format_size(c->total_bytes, want),
			   num_format_size(c->done_bytes, have));
}

/* A volume may be larger than its file system: then that much is empty. */
static int skip_zeroes(const struct copy *c, struct img_err *err)
{
	ssize_t n;

	do {
		n = read_full(c->in, c->buffer, BUFFER_BYTES, c->progress);
		if (n > 0 && !is_zero(c->buffer, (size_t)n))
			return img_err_set(err, IMG_E_INPUT, 0,
					   "goes on behind its file system");
	} while (n > 0);
	return n < 0 ? stream_failed(c, err) : 0;
}

static int copy_stream(struct copy *c, const struct raw_source *source,
		       struct img_err *err)
{
	size_t have = source->head_bytes;

	memcpy(c->buffer, source->head, have);
	while (c->done_bytes < c->total_bytes) {
		uint64_t left = c->total_bytes - c->done_bytes;
		size_t n = left < BUFFER_BYTES ? (size_t)left : BUFFER_BYTES;
		size_t whole = (size_t)num_align_up(n, GRAIN_BYTES);
		ssize_t came;
		int r;

		if (n < have) /* not even the superblock */
			return cut_short(c, err);
		came = read_full(c->in, c->buffer + have, n - have,
				 c->progress);
		if (came < 0)
			return stream_failed(c, err);
		have += (size_t)came;
		if (have < n) {
			c->done_bytes += have;
			return cut_short(c, err);
		}
		memset(c->buffer + n, 0, whole - n);
		r = write_out(c, c->done_bytes, whole, err);
		if (r < 0)
			return r;
		have = 0;
		c->done_bytes += n;
		progress_update(c->progress, c->done_bytes, c->total_bytes);
		if (progress_is_stopped(c->progress))
			return img_err_set(err, IMG_E_INTERRUPTED, 0,
					   "interrupted");
	}
	return skip_zeroes(c, err);
}

int raw_read(const struct raw_source *source, int fd,
	     const struct progress *progress, struct img_err *err)
{
	img_auto(copy_release) struct copy c;
	int r;

	copy_init(&c, source->fd, fd, source->size_bytes, progress);
	r = source->is_stream ? copy_stream(&c, source, err)
			      : copy_file(&c, source->size_bytes, err);
	if (r == 0)
		r = sync_out(&c, err);
	/* The copy, which nobody can change any more. */
	return r < 0 ? r : ext4_check(fd, source->size_bytes, progress, err);
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
