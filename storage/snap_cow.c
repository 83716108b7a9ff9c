#include "storage/snap_cow.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/num.h"
#include "base/str.h"

#include <endian.h>
#include <string.h>
#include <sys/stat.h>

#define MAGIC	  0x70416e53u /* "SnAp" */
#define VERSION	  1u
#define CHUNK_MAX (16 * MIB) /* more than img makes */

struct disk_header {
	uint32_t magic, valid, version, chunk_sectors;
};

struct disk_exception {
	uint64_t old_chunk, new_chunk;
};

uint64_t snap_cow_bytes(uint64_t origin_bytes, uint64_t chunk_bytes)
{
	uint64_t data = num_align_up(origin_bytes, chunk_bytes) / chunk_bytes;
	uint64_t pairs = chunk_bytes / sizeof(struct disk_exception);
	uint64_t areas = num_align_up(data, pairs) / pairs;

	/* The header, and an area that is begun when the last one is full. */
	return (1 + areas + 1 + data) * chunk_bytes;
}

static int damaged(const char *what, const char *how, struct img_err *err)
{
	return img_err_set(err, IMG_E_CORRUPT, 0, "%s is damaged: %s", what,
			   how);
}

int snap_cow_open(int fd, const char *what, struct snap_cow *ret,
		  struct img_err *err)
{
	struct disk_header h;
	struct stat st;
	int r;

	*ret = (struct snap_cow){ .is_new = true, .is_valid = true };
	if (fstat(fd, &st) < 0)
		return img_err_sys(err, "cannot ask for the size of %s", what);
	ret->size_bytes = (uint64_t)st.st_size;
	if (ret->size_bytes == 0)
		return 0; /* made, or emptied, and not sized yet */
	if (ret->size_bytes < sizeof(h))
		return damaged(what, "it is too short", err);
	r = file_pread(fd, &h, sizeof(h), 0, what, err);
	if (r < 0 || h.magic == 0)
		return r;
	if (le32toh(h.magic) != MAGIC || le32toh(h.version) != VERSION)
		return damaged(what, "it has no header", err);
	ret->is_new = false;
	ret->is_valid = h.valid != 0;
	ret->chunk_bytes = (uint64_t)le32toh(h.chunk_sectors) * SECTOR_BYTES;
	if (ret->chunk_bytes == 0 || ret->chunk_bytes > CHUNK_MAX ||
	    (ret->chunk_bytes & (ret->chunk_bytes - 1)) != 0)
		return damaged(what, "its chunks have no sound size", err);
	return 0;
}

/* What lies outside, and the chunks of the store that hold pairs. */
static bool is_sound(const struct snap_cow *cow, uint64_t pairs,
		     uint64_t old_chunk, uint64_t new_chunk)
{
	if (new_chunk >= cow->size_bytes / cow->chunk_bytes ||
	    (new_chunk - 1) % (pairs + 1) == 0)
		return false;
	return old_chunk < INT64_MAX / cow->chunk_bytes;
}

/* 1 when the area is full, so that another may follow. */
static int each_of_area(const struct disk_exception *area, uint64_t pairs,
			const char *what, const struct snap_cow *cow,
			int (*fn)(void *self,
				  const struct snap_exception *exception,
				  struct img_err *err),
			void *self, int *ret_stopped, struct img_err *err)
{
	for (uint64_t i = 0; i < pairs; i++) {
		uint64_t old_chunk = le64toh(area[i].old_chunk);
		uint64_t new_chunk = le64toh(area[i].new_chunk);
		struct snap_exception exception;

		if (new_chunk == 0)
			return 0;
		if (!is_sound(cow, pairs, old_chunk, new_chunk))
			return damaged(what, "an exception points outside",
				       err);
		exception.old_offset = old_chunk * cow->chunk_bytes;
		exception.new_offset = new_chunk * cow->chunk_bytes;
		*ret_stopped = fn(self, &exception, err);
		if (*ret_stopped != 0)
			return 0;
	}
	return 1;
}

int snap_cow_each(int fd, const char *what, const struct snap_cow *cow,
		  int (*fn)(void *self, const struct snap_exception *exception,
			    struct img_err *err),
		  void *self, struct img_err *err)
{
	uint64_t pairs = cow->chunk_bytes / sizeof(struct disk_exception);
	img_auto(img_mem_release) struct disk_exception *area = NULL;
	int stopped = 0, more = 1;

	if (cow->is_new)
		return 0;
	area = mem_alloc(cow->chunk_bytes);
	for (uint64_t n = 0; more > 0; n++) {
		uint64_t at = (1 + n * (pairs + 1)) * cow->chunk_bytes;

		if (at > cow->size_bytes - cow->chunk_bytes)
			break; /* full to the last chunk */
		more = file_pread(fd, area, cow->chunk_bytes, at, what, err);
		if (more == 0)
			more = each_of_area(area, pairs, what, cow, fn, self,
					    &stopped, err);
	}
	return more < 0 ? more : stopped;
}

struct apply {
	int from, to;
	const char *what;
	uint64_t chunk_bytes, origin_bytes, done_bytes;
	char *chunk;
};

static void apply_release(struct apply *apply)
{
	img_mem_release(&apply->chunk);
}

static int apply_one(void *self, const struct snap_exception *exception,
		     struct img_err *err)
{
	struct apply *a = self;
	uint64_t len = a->chunk_bytes;
	int r;

	if (exception->old_offset >= a->origin_bytes)
		return damaged(a->what, "it changes more than its origin has",
			       err);
	if (len > a->origin_bytes - exception->old_offset)
		len = a->origin_bytes - exception->old_offset;
	r = file_pread(a->from, a->chunk, a->chunk_bytes, exception->new_offset,
		       a->what, err);
	if (r == 0)
		r = file_pwrite(a->to, a->chunk, len, exception->old_offset,
				"the new volume", err);
	a->done_bytes += len;
	return r;
}

int snap_cow_apply(int cow_fd, const char *what, int to, uint64_t *ret_bytes,
		   struct img_err *err)
{
	img_auto(apply_release) struct apply apply = {
		.from = cow_fd,
		.to = to,
		.what = what,
	};
	struct snap_cow cow;
	struct stat st;
	int r = snap_cow_open(cow_fd, what, &cow, err);

	if (r < 0)
		return r;
	if (!cow.is_valid)
		return img_err_set(err, IMG_E_CORRUPT, 0,
				   "%s was given up by the kernel: what it "
				   "held is lost",
				   what);
	if (fstat(to, &st) < 0)
		return img_err_sys(err, "cannot ask for a file's size");
	apply.origin_bytes = (uint64_t)st.st_size;
	apply.chunk_bytes = cow.chunk_bytes;
	if (!cow.is_new)
		apply.chunk = mem_alloc(cow.chunk_bytes);
	r = snap_cow_each(cow_fd, what, &cow, apply_one, &apply, err);
	if (r == 0)
		*ret_bytes = apply.done_bytes;
	return r;
}
