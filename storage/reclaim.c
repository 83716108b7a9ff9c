#include "storage/reclaim.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "storage/backing.h"
#include "storage/meta.h"
#include "storage/store_impl.h"

#include <fcntl.h>
#include <string.h>

struct walk {
	int data;
	struct thin_meta *meta;
	uint64_t chunk_bytes;
	bool punch;
	uint64_t bytes;
};

/* Whole chunks of [begin, end) that nothing is mapped to. */
static int look_at_extent(struct walk *walk, uint64_t begin, uint64_t end,
			  struct img_err *err)
{
	uint64_t chunk = walk->chunk_bytes;

	for (uint64_t block = begin / chunk; block * chunk < end; block++) {
		uint32_t refs;
		int r;

		if (block >= thin_meta_info(walk->meta)->data_blocks)
			return 0;
		r = thin_meta_data_refs(walk->meta, block, &refs, err);
		if (r < 0)
			return r;
		if (refs)
			continue;
		if (walk->punch &&
		    fallocate(walk->data,
			      FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			      (off_t)(block * chunk), (off_t)chunk) < 0)
			return img_err_sys(err, "cannot make a hole in the "
						"pool's data");
		walk->bytes += chunk;
	}
	return 0;
}

static int look_at_file(struct walk *walk, struct img_err *err)
{
	off_t begin, end = 0;

	for (;;) {
		int r;

		begin = lseek(walk->data, end, SEEK_DATA);
		if (begin < 0)
			return errno == ENXIO
				       ? 0
				       : img_err_sys(err, "cannot look into "
							  "the pool's data");
		end = lseek(walk->data, begin, SEEK_HOLE);
		if (end < 0)
			return img_err_sys(err, "cannot look into the pool's "
						"data");
		end = (off_t)(((uint64_t)end + walk->chunk_bytes - 1) /
			      walk->chunk_bytes * walk->chunk_bytes);
		r = look_at_extent(walk, (uint64_t)begin, (uint64_t)end, err);
		if (r < 0)
			return r;
	}
}

static int walk_pool(struct store *store, bool punch, uint64_t *ret_bytes,
		     struct img_err *err)
{
	img_auto(img_mem_release) char *name =
		backing_name(store, BACKING_DATA);
	img_auto(thin_meta_release) struct thin_meta *meta = NULL;
	img_auto(img_fd_release) int metadata = -1;
	img_auto(img_fd_release) int data = -1;
	struct walk walk = { .punch = punch };
	int r = backing_open(store, BACKING_METADATA, &metadata, err);

	if (r == 0)
		r = thin_meta_open(metadata, NULL, &meta, err);
	if (r < 0)
		return r;
	data = open(name, (punch ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	if (data < 0)
		return img_err_sys(err, "cannot open %s", name);
	walk.data = data;
	walk.meta = meta;
	walk.chunk_bytes = thin_meta_info(meta)->chunk_bytes;
	r = look_at_file(&walk, err);
	*ret_bytes = walk.bytes;
	return r;
}

/* Other drivers give back at once; a device has no holes to look for. */
static bool has_file(const struct store *store)
{
	return store->driver->capacity && !backing_is_device(store);
}

int reclaim_look(struct store *store, uint64_t *ret_bytes, struct img_err *err)
{
	struct store_usage usage;
	int r;

	*ret_bytes = 0;
	if (!has_file(store))
		return 0;
	r = store_usage(store, &usage, err); /* the pool commits for that */
	return r < 0 ? r : walk_pool(store, false, ret_bytes, err);
}

static int punch(struct store *store, void *self, struct img_err *err)
{
	return walk_pool(store, true, self, err);
}

int reclaim_unused(struct store *store, uint64_t *ret_bytes,
		   struct img_err *err)
{
	*ret_bytes = 0;
	return has_file(store)
		       ? store_while_stopped(store, punch, ret_bytes, err)
		       : 0;
}
