#include "storage/discard.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "storage/meta.h"
#include "storage/pool.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

/* A pool in use may be read while it changes; then it is read again. */
#define READ_TRIES 3

struct target {
	struct store *store;
	const struct volume *volume;
	uint64_t chunk_bytes;
	int fd; /* the volume's device; -1 until something is to discard */
};

static void target_release(struct target *t)
{
	img_fd_release(&t->fd);
}

static int open_device(struct target *t, struct img_err *err)
{
	char node[VOLUME_NODE_MAX];
	int r = volume_activate(t->store, t->volume, node, err);

	if (r < 0)
		return r;
	t->fd = open(node, O_WRONLY | O_CLOEXEC);
	return t->fd < 0 ? img_err_sys(err, "cannot open %s", node) : 0;
}

static int discard_range(void *self, const struct thin_meta_range *range,
			 struct img_err *err)
{
	struct target *t = self;
	uint64_t begin = range->begin * t->chunk_bytes;
	uint64_t len = range->length * t->chunk_bytes;
	uint64_t bytes[2] = { begin, len };

	if (begin >= t->volume->size_bytes)
		return 0;
	if (len > t->volume->size_bytes - begin)
		bytes[1] = t->volume->size_bytes - begin;
	if (t->fd < 0 && open_device(t, err) < 0)
		return -(int)err->code;
	if (ioctl(t->fd, BLKDISCARD, bytes) < 0)
		return img_err_sys(err, "cannot discard blocks of volume %u",
				   t->volume->id);
	return 0;
}

static int discard_once(struct target *t, int metadata, struct img_err *err)
{
	img_auto(thin_meta_release) struct thin_meta *meta = NULL;
	int r = thin_meta_open(metadata, NULL, &meta, err);

	if (r < 0)
		return r;
	t->chunk_bytes = thin_meta_info(meta)->chunk_bytes;
	return thin_meta_each_exclusive(meta, t->volume->id, discard_range, t,
					err);
}

void discard_exclusive(struct store *store, const struct volume *volume)
{
	img_auto(target_release) struct target t = { store, volume, 0, -1 };
	img_auto(img_mem_release) char *path = NULL;
	img_auto(img_fd_release) int metadata = -1;
	struct img_err dropped = { 0 }; /* best effort: see above */
	struct store_usage usage;

	/* A pool that is asked for its status commits first (dm-thin.c,
	 * pool_status), so what is read then is what there is. */
	if (pool_usage(store, &usage, &dropped) < 0)
		return;
	path = mem_printf("%s/pool/metadata", store->root);
	metadata = open(path, O_RDONLY | O_CLOEXEC);
	if (metadata < 0)
		return;
	for (int try = 0; try < READ_TRIES; try++) {
		struct img_err err = { 0 }; /* best effort: see above */

		if (discard_once(&t, metadata, &err) != -IMG_E_CORRUPT)
			break;
	}
}
