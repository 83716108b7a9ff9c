#include "base/cleanup.h"
#include "base/num.h"
#include "storage/meta.h"
#include "storage/meta_handle.h"

#include <endian.h>
#include <inttypes.h>
#include <string.h>

static struct thin_meta_dev dev_of(uint64_t id,
				   const struct meta_disk_details *disk)
{
	return (struct thin_meta_dev){
		.id = (uint32_t)id,
		.mapped_blocks = le64toh(disk->mapped_blocks),
		.transaction_id = le64toh(disk->transaction_id),
		.creation_time = le32toh(disk->creation_time),
		.snapshotted_time = le32toh(disk->snapshotted_time),
	};
}

static int no_such_device(const struct thin_meta *meta, uint32_t dev_id,
			  struct img_err *err)
{
	return img_err_set(err, IMG_E_NOT_FOUND, 0,
			   "%s: the pool has no thin device %" PRIu32,
			   meta->cache.name, dev_id);
}

int thin_meta_dev(struct thin_meta *meta, uint32_t dev_id,
		  struct thin_meta_dev *ret, struct img_err *err)
{
	struct meta_disk_details disk;
	int r = meta_tree_lookup(&meta->cache, &meta->details, dev_id, &disk,
				 NULL, err);

	if (r < 0)
		return r;
	if (r == 0)
		return no_such_device(meta, dev_id, err);
	*ret = dev_of(dev_id, &disk);
	return 0;
}

int thin_meta_each_dev(struct thin_meta *meta,
		       int (*fn)(void *self, const struct thin_meta_dev *dev,
				 struct img_err *err),
		       void *self, struct img_err *err)
{
	img_auto(meta_iter_release) struct meta_iter it = { 0 };
	uint64_t budget = meta->info.meta_blocks;
	int r = meta_iter_init(&it, &meta->cache, &meta->details, &budget, err);

	while (r == 0) {
		struct meta_disk_details disk;
		struct thin_meta_dev dev;

		r = meta_iter_to_entry(&it, err);
		if (r < 0 || meta_iter_at_end(&it))
			break;
		if (it.key > META_DEV_MAX)
			return img_err_set(err, IMG_E_CORRUPT, 0,
					   "%s: %" PRIu64
					   " is no id of a thin device",
					   meta->cache.name, it.key);
		memcpy(&disk, it.value, sizeof(disk));
		dev = dev_of(it.key, &disk);
		r = fn(self, &dev, err);
		meta_iter_next(&it);
	}
	return r;
}

struct meta_tree meta_mapping_tree(uint64_t root)
{
	return (struct meta_tree){ .what = "mapping tree",
				   .root = root,
				   .value_bytes = sizeof(uint64_t) };
}

int meta_device_tree(struct thin_meta *meta, uint32_t dev_id,
		     struct meta_tree *ret, struct meta_path *path,
		     struct img_err *err)
{
	uint64_t raw;
	int r = meta_tree_lookup(&meta->cache, &meta->devices, dev_id, &raw,
				 path, err);

	if (r < 0)
		return r;
	if (r == 0)
		return no_such_device(meta, dev_id, err);
	*ret = meta_mapping_tree(le64toh(raw));
	return 0;
}

int thin_meta_find(struct thin_meta *meta, uint32_t dev_id, uint64_t block,
		   uint64_t *ret, struct img_err *err)
{
	struct meta_tree tree;
	uint64_t raw, data;
	int r = meta_device_tree(meta, dev_id, &tree, NULL, err);

	if (r == 0)
		r = meta_tree_lookup(&meta->cache, &tree, block, &raw, NULL,
				     err);
	if (r <= 0)
		return r;
	data = le64toh(raw) >> META_TIME_BITS;
	if (data >= meta->info.data_blocks)
		return img_err_set(err, IMG_E_CORRUPT, 0,
				   "%s: thin block %" PRIu64
				   " is mapped past the end of the data",
				   meta->cache.name, block);
	*ret = data;
	return 1;
}

int thin_meta_last(struct thin_meta *meta, uint32_t dev_id, uint64_t *ret,
		   struct img_err *err)
{
	struct meta_tree tree;
	int r = meta_device_tree(meta, dev_id, &tree, NULL, err);

	return r < 0 ? r : meta_tree_last(&meta->cache, &tree, ret, err);
}

int meta_mapping_of(const struct thin_meta *meta, const struct meta_iter *it,
		    struct meta_mapping *ret, struct img_err *err)
{
	uint64_t raw, value, end;

	memcpy(&raw, it->value, sizeof(raw));
	value = le64toh(raw);
	ret->data = value >> META_TIME_BITS;
	ret->time = (uint32_t)value & META_TIME_MASK;
	if (ret->data >= meta->info.data_blocks)
		return img_err_set(err, IMG_E_CORRUPT, 0,
				   "%s: thin block %" PRIu64
				   " is mapped past the end of the data",
				   meta->cache.name, it->key);
	if (it->key == UINT64_MAX ||
	    num_mul_overflows(it->key + 1, meta->info.chunk_bytes, &end))
		return img_err_set(err, IMG_E_CORRUPT, 0,
				   "%s: %" PRIu64 " is no block of a volume",
				   meta->cache.name, it->key);
	return 0;
}

int meta_used_node_refs(struct thin_meta *meta, uint64_t block, uint32_t *ret,
			struct img_err *err)
{
	int r = meta_space_refs(&meta->meta, &meta->cache, block, ret, err);

	if (r == 0 && *ret == 0)
		return meta_block_bad(&meta->cache, block, err,
				      "is used and counted as free");
	return r;
}

int meta_used_data_refs(struct thin_meta *meta, uint64_t block, uint32_t *ret,
			struct img_err *err)
{
	int r = meta_space_refs(&meta->data, &meta->cache, block, ret, err);

	if (r == 0 && *ret == 0)
		return img_err_set(err, IMG_E_CORRUPT, 0,
				   "%s: data block %" PRIu64
				   " is mapped and counted as free",
				   meta->cache.name, block);
	return r;
}

static int no_such_block(const struct thin_meta *meta,
			 const struct meta_space *space, uint64_t block,
			 struct img_err *err)
{
	return img_err_set(err, IMG_E_INPUT, 0,
			   "%s: there is no %s block %" PRIu64,
			   meta->cache.name, space->what, block);
}

int thin_meta_data_refs(struct thin_meta *meta, uint64_t block, uint32_t *ret,
			struct img_err *err)
{
	if (block >= meta->data.nr_blocks)
		return no_such_block(meta, &meta->data, block, err);
	return meta_space_refs(&meta->data, &meta->cache, block, ret, err);
}

int thin_meta_block_refs(struct thin_meta *meta, uint64_t block, uint32_t *ret,
			 struct img_err *err)
{
	if (block >= meta->meta.nr_blocks)
		return no_such_block(meta, &meta->meta, block, err);
	return meta_space_refs(&meta->meta, &meta->cache, block, ret, err);
}
