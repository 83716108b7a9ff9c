#include "image/import.h"

#include "base/cleanup.h"
#include "base/num.h"
#include "base/part.h"
#include "base/str.h"
#include "image/formats.h"
#include "image/raw.h"
#include "storage/capacity.h"

#include <fcntl.h>
#include <string.h>

/* What may be in the page cache. */
#define IN_FLIGHT_MAX (UINT64_C(256) << 20)

/* Writes are on their way into the pool for a while: it is kept large enough
 * for all that was read. */
struct pool_progress {
	struct store *store;
	const struct progress *above;
};

static void update(void *self, uint64_t done_bytes, uint64_t total_bytes)
{
	const struct pool_progress *p = self;

	capacity_make_room(p->store, IN_FLIGHT_MAX);
	progress_update(p->above, done_bytes, total_bytes);
}

static bool is_stopped(void *self)
{
	const struct pool_progress *p = self;

	return progress_is_stopped(p->above);
}

static int source_open(const struct import_options *options,
		       struct raw_source *ret, struct img_err *err)
{
	formats_raw_open_fn *open_raw =
		part_symbol(FORMATS_PART, "formats_raw_open", err);

	return open_raw ? open_raw(options->source, ret, err) : -(int)err->code;
}

static void source_release(struct raw_source *source)
{
	img_fd_release(&source->fd);
}

static int fill_raw(const struct raw_source *source, int fd,
		    const struct progress *progress, struct img_err *err)
{
	formats_raw_import_fn *import =
		part_symbol(FORMATS_PART, "formats_raw_import", err);

	return import ? import(source, fd, progress, err) : -(int)err->code;
}

static int fill_rootfs(struct store *store, const struct volume *volume, int fd,
		       const struct raw_source *source,
		       const struct import_options *options,
		       const struct progress *progress, struct img_err *err)
{
	formats_import_fn *import =
		part_symbol(FORMATS_PART, "formats_import", err);
	const struct formats_import request = {
		.source = options->source,
		.head = source->head,
		.head_bytes = source->head_bytes,
		.fd = fd,
		.size_bytes = volume->size_bytes,
		.max_entries = options->max_entries,
		.chunk_bytes = store_chunk_bytes(store),
		.progress = progress,
	};

	return import ? import(&request, err) : -(int)err->code;
}

static int fill(struct store *store, const struct volume *volume,
		const struct raw_source *source,
		const struct import_options *options, struct img_err *err)
{
	struct pool_progress pool = { .store = store,
				      .above = options->progress };
	const struct progress progress = { update, is_stopped, &pool };
	img_auto(img_fd_release) int fd = -1;
	char node[VOLUME_NODE_MAX];
	int r = volume_activate(store, volume, node, err);

	if (r < 0)
		return r;
	fd = open(node, O_RDWR | O_EXCL | O_CLOEXEC);
	if (fd < 0)
		return img_err_sys(err, "cannot open %s", node);
	r = source->fd < 0 ? fill_rootfs(store, volume, fd, source, options,
					 &progress, err)
			   : fill_raw(source, fd, &progress, err);
	/* While it is: what was made so far goes when this fails. */
	return r < 0 ? capacity_explain(store, err) : r;
}

static int check_size(uint64_t size, struct img_err *err)
{
	if (size < VOLUME_BYTES_MIN || size > VOLUME_BYTES_MAX)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "the volume's size must be from 16M to 16T");
	return 0;
}

static int pick_size(struct store *store, const struct raw_source *source,
		     const struct import_options *options, uint64_t *ret,
		     struct img_err *err)
{
	*ret = options->size_bytes ? options->size_bytes
				   : store_volume_bytes(store);
	*ret -= *ret % VOLUME_BYTES_STEP;
	if (source->fd < 0)
		return 0;
	if (options->size_bytes)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "a file system keeps its size: 'img resize' "
				   "changes a container's");
	if (source->size_bytes > VOLUME_BYTES_MAX)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "its file system is larger than a volume "
				   "can be, 16T");
	*ret = num_align_up(source->size_bytes, VOLUME_BYTES_STEP);
	return 0;
}

int import_image(struct store *store, const struct import_options *options,
		 struct id *ret_id, struct img_err *err)
{
	img_auto(volume_pending_release) struct volume_pending new = { 0 };
	img_auto(img_mem_release) char *created_by = NULL;
	img_auto(source_release) struct raw_source source = { .fd = -1 };
	uint64_t size = 0;
	int r = options->size_bytes ? check_size(options->size_bytes, err) : 0;

	if (r == 0)
		r = source_open(options, &source, err);
	if (r == 0)
		r = pick_size(store, &source, options, &size, err);
	if (r == 0)
		r = volume_create(store, size, &new, err);
	if (r == 0)
		r = fill(store, &new.volume, &source, options, err);
	if (r == 0)
		r = volume_deactivate(store, &new.volume, err);
	if (r < 0)
		return r;
	created_by = mem_printf("import %s", options->source);
	return image_add(store,
			 &(struct image_new){
				 .volume = &new,
				 .config = options->config,
				 .name = options->name,
				 .created_by = created_by,
				 .comment = options->message ? options->message
							     : "",
			 },
			 ret_id, err);
}
