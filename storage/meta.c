#include "storage/meta.h"

#include "base/cleanup.h"
#include "base/num.h"
#include "base/str.h"
#include "storage/meta_handle.h"

#include <endian.h>
#include <inttypes.h>

/* A live superblock may be caught half-written; the next look is better. */
#define SUPER_TRIES 3

/* dm-thin.h: DATA_DEV_BLOCK_SIZE_MIN_SECTORS and _MAX_SECTORS. */
#define CHUNK_SECTORS_MIN 128u
#define CHUNK_SECTORS_MAX 2097152u

static int check_super(const struct meta_cache *cache, uint64_t block,
		       const struct meta_disk_super *super, struct img_err *err)
{
	uint32_t chunk = le32toh(super->chunk_sectors);
	uint32_t version = le32toh(super->version);

	if (le64toh(super->magic) != META_MAGIC)
		return meta_block_bad(cache, block, err,
				      "is no superblock of a thin pool");
	if (version < 1 || version > META_VERSION_MAX)
		return img_err_set(err, IMG_E_UNSUPPORTED, 0,
				   "%s: version %" PRIu32
				   " of thin pool metadata is not known",
				   cache->name, version);
	if (super->incompat_flags)
		return img_err_set(err, IMG_E_UNSUPPORTED, 0,
				   "%s: thin pool feature %#" PRIx32
				   " is not known",
				   cache->name, le32toh(super->incompat_flags));
	if (chunk < CHUNK_SECTORS_MIN || chunk > CHUNK_SECTORS_MAX ||
	    chunk % CHUNK_SECTORS_MIN)
		return meta_block_bad(cache, block, err,
				      "has an impossible data block size, "
				      "%" PRIu32 " sectors",
				      chunk);
	return 0;
}

int meta_super_pin(struct meta_cache *cache, uint64_t block,
		   struct meta_pin *pin, struct img_err *err)
{
	int r = -IMG_E_CORRUPT;

	for (int i = 0; i < SUPER_TRIES && r == -IMG_E_CORRUPT; i++) {
		struct img_err attempt = { 0 };

		r = meta_block_pin(cache, block, META_SUPER, pin, &attempt);
		if (r == 0)
			return check_super(cache, block, pin->super, err);
		/* Only the last attempt is told of. */
		if ((r != -IMG_E_CORRUPT || i + 1 == SUPER_TRIES) &&
		    err->code == IMG_OK)
			*err = attempt;
	}
	return r;
}

/* Space and what else only the live superblock knows. */
static int read_live(struct thin_meta *meta,
		     const struct meta_disk_super *super, struct img_err *err)
{
	struct thin_meta_info *info = &meta->info;
	struct meta_cache *cache = &meta->cache;
	uint64_t bytes;
	int r = meta_space_init(&meta->meta, cache, &super->meta_space, true,
				err);

	if (r < 0)
		return r;
	r = meta_space_init(&meta->data, cache, &super->data_space, false, err);
	if (r < 0)
		return r;
	cache->nr_blocks = meta->meta.nr_blocks;
	info->snapshot_block = le64toh(super->snapshot_root);
	info->needs_check = le32toh(super->head.flags) & META_NEEDS_CHECK;
	info->chunk_bytes =
		(uint64_t)le32toh(super->chunk_sectors) * SECTOR_BYTES;
	info->data_blocks = meta->data.nr_blocks;
	info->data_blocks_used = meta->data.nr_used;
	info->meta_blocks = meta->meta.nr_blocks;
	info->meta_blocks_used = meta->meta.nr_used;
	meta->live_root = le64toh(super->mapping_root);
	meta->super_csum = le32toh(super->head.csum);
	if (num_mul_overflows(info->data_blocks, info->chunk_bytes, &bytes))
		return meta_block_bad(cache, 0, err,
				      "has an impossible size of the data");
	return 0;
}

/* What the superblock and a snapshot of it both have. */
static void read_trees(struct thin_meta *meta,
		       const struct meta_disk_super *super)
{
	meta->info.transaction_id = le64toh(super->transaction_id);
	meta->info.time = le32toh(super->time);
	meta->devices = (struct meta_tree){
		.what = "device tree",
		.root = le64toh(super->mapping_root),
		.value_bytes = sizeof(uint64_t),
	};
	meta->details = (struct meta_tree){
		.what = "device details tree",
		.root = le64toh(super->details_root),
		.value_bytes = sizeof(struct meta_disk_details),
	};
}

static int read_snapshot(struct thin_meta *meta, struct img_err *err)
{
	img_auto(meta_pin_release) struct meta_pin pin = { 0 };
	int r;

	if (!meta->info.snapshot_block)
		return img_err_set(err, IMG_E_NOT_FOUND, 0,
				   "%s: the pool has no metadata snapshot",
				   meta->cache.name);
	r = meta_super_pin(&meta->cache, meta->info.snapshot_block, &pin, err);
	if (r < 0)
		return r;
	meta->from_snapshot = true;
	read_trees(meta, pin.super);
	return 0;
}

static int read_supers(struct thin_meta *meta, bool from_snapshot,
		       struct img_err *err)
{
	img_auto(meta_pin_release) struct meta_pin pin = { 0 };
	int r = meta_super_pin(&meta->cache, 0, &pin, err);

	if (r < 0)
		return r;
	r = read_live(meta, pin.super, err);
	if (r < 0)
		return r;
	read_trees(meta, pin.super);
	return from_snapshot ? read_snapshot(meta, err) : 0;
}

int thin_meta_open(int fd, const struct thin_meta_options *options,
		   struct thin_meta **ret, struct img_err *err)
{
	img_auto(thin_meta_release) struct thin_meta *meta = NULL;
	const char *name =
		options && options->name ? options->name : "metadata";
	int r;

	meta = mem_zalloc(sizeof(*meta));
	r = meta_cache_init(&meta->cache, fd, name, err);
	if (r < 0)
		return r;
	r = read_supers(meta, options && options->from_snapshot, err);
	if (r < 0)
		return r;
	*ret = img_mem_take(&meta);
	return 0;
}

int thin_meta_is_current(struct thin_meta *meta, struct img_err *err)
{
	img_auto(thin_meta_release) struct thin_meta *now = NULL;
	int r = thin_meta_open(meta->cache.fd, NULL, &now, err);

	return r < 0 ? r : now->super_csum == meta->super_csum;
}

void thin_meta_close(struct thin_meta *meta)
{
	if (!meta)
		return;
	meta_cache_release(&meta->cache);
	free(meta);
}

void thin_meta_release(struct thin_meta **meta)
{
	int saved = errno;

	thin_meta_close(*meta);
	*meta = NULL;
	errno = saved;
}

const struct thin_meta_info *thin_meta_info(const struct thin_meta *meta)
{
	return &meta->info;
}
