#include "storage/pool.h"

#include "base/cleanup.h"
#include "base/num.h"
#include "base/str.h"
#include "storage/backing.h"
#include "storage/loop.h"
#include "storage/reserve.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <sys/sysmacros.h>

/* Blocks of the metadata device, as dm-thin lays it out. */
#define METADATA_BLOCK_BYTES 4096u

void pool_name(const struct store *store, struct dm_name *ret)
{
	store_device_name(store, "pool", ret);
}

int pool_is_up(struct store *store, struct img_err *err)
{
	struct dm_name name;
	struct dm_state state;
	int r;

	pool_name(store, &name);
	r = store->dm.ops->state(store->dm.self, &name, &state, err);
	if (r < 0)
		return r;
	if (!state.has_table) /* none, or half of one: see pool_up */
		return 0;
	if (state.suspended) { /* somebody died meanwhile */
		r = store->dm.ops->resume(store->dm.self, &name, err);
		if (r < 0)
			return r;
	}
	return 1;
}

int pool_dev(struct store *store, dev_t *ret, struct img_err *err)
{
	struct dm_name name;
	struct dm_state state;
	int r;

	pool_name(store, &name);
	r = store->dm.ops->state(store->dm.self, &name, &state, err);
	if (r < 0)
		return r;
	if (!state.exists)
		return img_err_set(err, IMG_E_NOT_FOUND, 0,
				   "the pool %s is not up", name.name);
	*ret = state.dev;
	return 0;
}

/* Whoever made it died before it had a table; nobody else is at it, since the
 * store's lock is held. */
static int remove_half_made(struct store *store, const struct dm_name *name,
			    struct img_err *err)
{
	struct dm_state state;
	int r = store->dm.ops->state(store->dm.self, name, &state, err);

	if (r < 0 || !state.exists || state.has_table)
		return r;
	return store->dm.ops->remove(store->dm.self, name, err);
}

void pool_make_table(const struct store *store, dev_t metadata, dev_t data,
		     struct pool_table *ret)
{
	const struct store_sizes *sizes = &store->sizes;

	(void)snprintf(ret->params, sizeof(ret->params),
		       "%u:%u %u:%u %" PRIu64 " %" PRIu64
		       " 1 error_if_no_space",
		       major(metadata), minor(metadata), major(data),
		       minor(data), num_sectors(sizes->chunk_bytes),
		       reserve_low_data(store, sizes->data_bytes) /
			       sizes->chunk_bytes);
	ret->table = (struct dm_table){
		.len_sectors = num_sectors(sizes->data_bytes),
		.target = "thin-pool",
		.params = ret->params,
	};
}

int pool_up(struct store *store, struct img_err *err)
{
	img_auto(loop_release) struct loop data = LOOP_NONE;
	img_auto(loop_release) struct loop metadata = LOOP_NONE;
	struct pool_table table;
	struct dm_name name;
	dev_t dev;
	int r;

	pool_name(store, &name);
	r = remove_half_made(store, &name, err);
	if (r == 0)
		r = backing_attach(store, &data, &metadata, err);
	if (r < 0)
		return r;
	pool_make_table(store, metadata.dev, data.dev, &table);
	r = store->dm.ops->create(store->dm.self, &name, &table.table, &dev,
				  err);
	if (r == 0)
		r = backing_mark(store, err);
	return r < 0 ? img_err_prefix(err, "cannot bring up the pool in %s",
				      store->root)
		     : 0;
}

int pool_down(struct store *store, struct img_err *err)
{
	struct dm_name name;
	struct dm_state state;
	int r;

	pool_name(store, &name);
	r = store->dm.ops->state(store->dm.self, &name, &state, err);
	if (r < 0 || !state.exists)
		return r;
	r = store->dm.ops->remove(store->dm.self, &name, err);
	if (r == -IMG_E_BUSY)
		return img_err_prefix(err,
				      "a volume of the store in %s is in "
				      "use",
				      store->root);
	return r;
}

static int add_status(struct store *store, struct img_err *err)
{
	img_auto(img_mem_release) char *status = NULL;
	struct img_err dropped = { 0 }; /* the message's failure counts */
	struct dm_name name;

	pool_name(store, &name);
	if (store->dm.ops->status(store->dm.self, &name, &status, &dropped) ==
	    0)
		(void)img_err_hint(err, " (pool: %s)", status);
	return -(int)err->code;
}

int pool_message(struct store *store, struct img_err *err, const char *fmt, ...)
{
	struct dm_name name;
	char text[96];
	va_list ap;
	int r;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	pool_name(store, &name);
	r = store->dm.ops->message(store->dm.self, &name, text, err);
	if (r < 0 && r != -IMG_E_EXISTS && r != -IMG_E_NOT_FOUND &&
	    r != -IMG_E_NO_DM)
		r = add_status(store, err);
	return r;
}

int pool_parse_status(const char *line, uint64_t chunk_bytes,
		      struct store_usage *ret, struct img_err *err)
{
	uint64_t meta_used, meta, data_used, data;

	*ret = (struct store_usage){ 0 };
	if (strncmp(line, "Fail", 4) == 0 || strncmp(line, "Error", 5) == 0) {
		ret->failed = true;
		return 0;
	}
	if (sscanf(line, "%*u %" SCNu64 "/%" SCNu64 " %" SCNu64 "/%" SCNu64,
		   &meta_used, &meta, &data_used, &data) != 4)
		return img_err_set(err, IMG_E_INTERNAL, 0,
				   "cannot read the pool's status '%s'", line);
	ret->metadata_bytes = meta * METADATA_BLOCK_BYTES;
	ret->metadata_used_bytes = meta_used * METADATA_BLOCK_BYTES;
	ret->data_bytes = data * chunk_bytes;
	ret->data_used_bytes = data_used * chunk_bytes;
	ret->read_only = strstr(line, " ro ") != NULL;
	ret->out_of_space = strstr(line, " out_of_data_space ") != NULL;
	ret->needs_check = strstr(line, " needs_check") != NULL;
	return 0;
}

typedef int status_fn(void *self, const struct dm_name *name, char **ret,
		      struct img_err *err);

static int usage_by(struct store *store, status_fn *ask,
		    struct store_usage *ret, struct img_err *err)
{
	img_auto(img_mem_release) char *status = NULL;
	struct dm_name name;
	int r;

	pool_name(store, &name);
	r = ask(store->dm.self, &name, &status, err);
	return r < 0 ? r
		     : pool_parse_status(status, store->sizes.chunk_bytes, ret,
					 err);
}

int pool_usage(struct store *store, struct store_usage *ret,
	       struct img_err *err)
{
	return usage_by(store, store->dm.ops->status, ret, err);
}

int pool_peek(struct store *store, struct store_usage *ret, struct img_err *err)
{
	return usage_by(store, store->dm.ops->peek, ret, err);
}
