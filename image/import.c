#include "image/import.h"

#include "base/cleanup.h"
#include "base/part.h"
#include "base/str.h"
#include "image/formats.h"
#include "storage/capacity.h"

#include <fcntl.h>

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

static int fill(struct store *store, const struct volume *volume,
		const struct import_options *options, struct img_err *err)
{
	struct pool_progress pool = { .store = store,
				      .above = options->progress };
	const struct progress progress = { update, is_stopped, &pool };
	formats_import_fn *import;
	struct formats_import request = {
		.source = options->source,
		.fd = -1,
		.size_bytes = volume->size_bytes,
		.max_entries = options->max_entries,
		.chunk_bytes = store_chunk_bytes(store),
		.progress = &progress,
	};
	img_auto(img_fd_release) int fd = -1;
	char node[VOLUME_NODE_MAX];
	int r;

	import = part_symbol(FORMATS_PART, "formats_import", err);
	if (!import)
		return -(int)err->code;
	r = volume_activate(store, volume, node, err);
	if (r < 0)
		return r;
	fd = open(node, O_RDWR | O_EXCL | O_CLOEXEC);
	if (fd < 0)
		return img_err_sys(err, "cannot open %s", node);
	request.fd = fd;
	r = import(&request, err);
	/* While it is: what was made so far goes when this fails. */
	return r < 0 ? capacity_explain(store, err) : r;
}

int import_image(struct store *store, const struct import_options *options,
		 struct id *ret_id, struct img_err *err)
{
	img_auto(volume_pending_release) struct volume_pending new = { 0 };
	img_auto(img_mem_release) char *created_by = NULL;
	uint64_t size = options->size_bytes ? options->size_bytes
					    : store_volume_bytes(store);
	int r;

	if (size < VOLUME_BYTES_MIN || size > VOLUME_BYTES_MAX)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "the volume's size must be from 16M to 16T");
	size -= size % VOLUME_BYTES_STEP;
	r = volume_create(store, size, &new, err);
	if (r == 0)
		r = fill(store, &new.volume, options, err);
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
