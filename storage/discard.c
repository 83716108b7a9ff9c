#include "storage/discard.h"

#include "base/cleanup.h"
#include "base/lock.h"
#include "base/str.h"
#include "storage/backing.h"
#include "storage/meta.h"
#include "storage/pool.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

/* A pool in use may be read while it changes; then it is read again. */
#define READ_TRIES 3
/* Ranges that are found before they are discarded. */
#define BATCH_MAX 4096

struct range {
	uint64_t begin, len; /* bytes */
};

/* What the volume has for itself.  Nothing is discarded while the metadata
 * is walked: the kernel would write over nodes that are still to be read. */
struct batch {
	struct range *range;
	size_t n;
	uint64_t chunk_bytes;
};

static void batch_release(struct batch *batch)
{
	img_mem_release(&batch->range);
}

/* Ends the walk, with 1, when the batch is full. */
static int add_range(void *self, const struct thin_meta_range *range,
		     struct img_err *err)
{
	struct batch *batch = self;

	batch->range[batch->n++] = (struct range){
		.begin = range->begin * batch->chunk_bytes,
		.len = range->length * batch->chunk_bytes,
	};
	return batch->n == BATCH_MAX;
}

/* 1 when there may be more than the batch holds, 0 when that is all. */
static int fill_once(int metadata, uint32_t volume, struct batch *batch,
		     struct img_err *err)
{
	img_auto(thin_meta_release) struct thin_meta *meta = NULL;
	int r = thin_meta_open(metadata, NULL, &meta, err);

	if (r < 0)
		return r;
	batch->n = 0;
	batch->chunk_bytes = thin_meta_info(meta)->chunk_bytes;
	return thin_meta_each_exclusive(meta, volume, add_range, batch, err);
}

static int fill(struct store *store, uint32_t volume, struct batch *batch,
		struct img_err *err)
{
	img_auto(img_fd_release) int metadata = -1;
	struct store_usage usage;
	int r;

	/* A pool that is asked for its status commits first (dm-thin.c,
	 * pool_status), so what is read then is what there is. */
	r = pool_usage(store, &usage, err);
	if (r == 0)
		r = backing_open(store, BACKING_METADATA, &metadata, err);
	if (r < 0)
		return r;
	for (int try = 0; try < READ_TRIES; try++) {
		*err = (struct img_err){ 0 };
		r = fill_once(metadata, volume, batch, err);
		if (r != -IMG_E_CORRUPT)
			break;
	}
	return r;
}

static int discard_batch(struct store *store, const struct volume *volume,
			 const struct batch *batch, struct img_err *err)
{
	img_auto(img_fd_release) int fd = -1;
	char node[VOLUME_NODE_MAX];
	int r = volume_activate(store, volume, node, err);

	if (r < 0)
		return r;
	fd = open(node, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return img_err_sys(err, "cannot open %s", node);
	for (size_t i = 0; i < batch->n; i++) {
		const struct range *range = &batch->range[i];
		uint64_t bytes[2] = { range->begin, range->len };

		if (range->begin >= volume->size_bytes)
			continue;
		if (range->len > volume->size_bytes - range->begin)
			bytes[1] = volume->size_bytes - range->begin;
		if (ioctl(fd, BLKDISCARD, bytes) < 0)
			return img_err_sys(err, "cannot discard blocks of %s",
					   node);
	}
	return 0;
}

/* A metadata snapshot would be one more owner of every block: nothing would be
 * given back while somebody holds one. */
static void keep_holds_away(struct store *store, struct lock *ret)
{
	struct img_err dropped = { 0 }; /* costs the host space, at most */

	IMG_IGNORE(store_lock_shared(store, LOCK_METADATA, ret, &dropped));
}

void discard_exclusive(struct store *store, const struct volume *volume)
{
	img_auto(lock_release) struct lock lock = { .fd = -1 };
	img_auto(batch_release) struct batch batch = { 0 };
	struct img_err dropped = { 0 }; /* best effort: see the header */
	uint64_t last = UINT64_MAX;
	int more;

	keep_holds_away(store, &lock);
	batch.range = mem_alloc(BATCH_MAX * sizeof(*batch.range));
	do { /* what was discarded is not found again */
		more = fill(store, volume->id, &batch, &dropped);
		if (more < 0 || batch.n == 0 || batch.range[0].begin == last ||
		    discard_batch(store, volume, &batch, &dropped) < 0)
			return;
		last = batch.range[0].begin; /* found again: no use */
	} while (more > 0);
}
