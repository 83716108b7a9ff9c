/*
 * How much would become free.  What the kernel does when it deletes volumes is
 * done here on paper: a node or a data block loses one reference for each
 * pointer that goes, and when it has none left it is free, and what it points
 * to loses one in turn.
 */
#include "base/cleanup.h"
#include "base/num.h"
#include "storage/meta.h"
#include "storage/meta_counts.h"
#include "storage/meta_handle.h"

#include <endian.h>
#include <inttypes.h>
#include <string.h>

struct drop {
	struct thin_meta *meta;
	struct meta_counts nodes, data; /* that lost some but not all */
	bool remember; /* more is to be dropped: keep the counts */
	bool look;     /* nothing goes: the counts stay as they are */
	uint64_t budget, freed_blocks;
};

static void drop_release(struct drop *drop)
{
	meta_counts_release(&drop->nodes);
	meta_counts_release(&drop->data);
}

typedef int refs_fn(struct thin_meta *meta, uint64_t block, uint32_t *ret,
		    struct img_err *err);

/* Takes one reference away.  Returns 1 if it was the last one, else 0. */
static int drop_ref(struct drop *drop, struct meta_counts *counts,
		    refs_fn *refs_of, uint64_t block, struct img_err *err)
{
	struct meta_count *known = meta_counts_get(counts, block);
	uint32_t refs;
	int r;

	if (known) {
		if (!known->left)
			return img_err_set(err, IMG_E_CORRUPT, 0,
					   "%s: block %" PRIu64
					   " has more owners than it counts",
					   drop->meta->cache.name, block);
		if (drop->look)
			return known->left == 1;
		return --known->left == 0;
	}
	r = refs_of(drop->meta, block, &refs, err);
	if (r < 0)
		return r;
	if (refs == 1)
		return 1;
	if (drop->remember)
		meta_counts_put(counts, block, refs - 1);
	return 0;
}

static int drop_node(struct drop *drop, uint64_t block, struct img_err *err)
{
	return drop_ref(drop, &drop->nodes, meta_used_node_refs, block, err);
}

typedef int entry_fn(struct drop *drop, const struct meta_iter *it,
		     struct img_err *err);

/* Drops a tree by its root; each entry that goes with it is told to @fn. */
static int drop_tree(struct drop *drop, const struct meta_tree *tree,
		     entry_fn *fn, struct img_err *err)
{
	img_auto(meta_iter_release) struct meta_iter it = { 0 };
	int r = drop_node(drop, tree->root, err);

	if (r <= 0)
		return r;
	r = meta_iter_init(&it, &drop->meta->cache, tree, &drop->budget, err);
	while (r == 0 && !meta_iter_at_end(&it)) {
		if (it.is_child) {
			r = drop_node(drop, it.child, err);
			if (r > 0) {
				r = meta_iter_enter(&it, err);
				continue;
			}
		} else {
			r = fn(drop, &it, err);
		}
		meta_iter_next(&it);
	}
	return r;
}

static int drop_mapping(struct drop *drop, const struct meta_iter *it,
			struct img_err *err)
{
	struct meta_mapping map;
	int r = meta_mapping_of(drop->meta, it, &map, err);

	if (r < 0)
		return r;
	r = drop_ref(drop, &drop->data, meta_used_data_refs, map.data, err);
	if (r > 0)
		drop->freed_blocks++;
	return r < 0 ? r : 0;
}

static int drop_volume(struct drop *drop, const struct meta_iter *it,
		       struct img_err *err)
{
	struct meta_tree tree;
	uint64_t raw;

	memcpy(&raw, it->value, sizeof(raw));
	tree = meta_mapping_tree(le64toh(raw));
	return drop_tree(drop, &tree, drop_mapping, err);
}

/* Leaves aside the tree that the handle does not read: the metadata snapshot,
 * or the live tree. */
static int drop_other(struct drop *drop, struct img_err *err)
{
	struct thin_meta *meta = drop->meta;
	struct meta_tree other = meta->devices;
	int r;

	if (!meta->info.snapshot_block)
		return 0;
	if (meta->from_snapshot) {
		other.root = meta->live_root;
	} else {
		img_auto(meta_pin_release) struct meta_pin pin = { 0 };

		r = meta_super_pin(&meta->cache, meta->info.snapshot_block,
				   &pin, err);
		if (r < 0)
			return r;
		other.root = le64toh(pin.super->mapping_root);
	}
	drop->remember = true;
	r = drop_tree(drop, &other, drop_volume, err);
	drop->freed_blocks = 0;
	return r;
}

static int check_ids(const uint32_t *dev_ids, size_t count, struct img_err *err)
{
	for (size_t i = 1; i < count; i++)
		for (size_t j = 0; j < i; j++)
			if (dev_ids[i] == dev_ids[j])
				return img_err_set(err, IMG_E_INPUT, 0,
						   "thin device %" PRIu32
						   " is named twice",
						   dev_ids[i]);
	return 0;
}

static int to_bytes(const struct thin_meta *meta, uint64_t blocks,
		    uint64_t *ret, struct img_err *err)
{
	/* The whole pool fits, so what does not is more than the pool. */
	if (blocks > meta->info.data_blocks)
		return img_err_set(err, IMG_E_CORRUPT, 0,
				   "%s: %" PRIu64 " blocks mapped in a pool of "
				   "%" PRIu64,
				   meta->cache.name, blocks,
				   meta->info.data_blocks);
	*ret = blocks * meta->info.chunk_bytes;
	return 0;
}

int thin_meta_reclaimable(struct thin_meta *meta, const uint32_t *dev_ids,
			  size_t count, uint64_t *ret_bytes,
			  struct img_err *err)
{
	img_auto(drop_release) struct drop drop = {
		.meta = meta,
		.budget = meta->info.meta_blocks,
	};
	int r = check_ids(dev_ids, count, err);

	if (r == 0)
		r = drop_other(&drop, err);
	for (size_t i = 0; r == 0 && i < count; i++) {
		struct meta_tree tree;

		r = meta_device_tree(meta, dev_ids[i], &tree, NULL, err);
		if (r < 0)
			break;
		drop.remember = i + 1 < count;
		r = drop_tree(&drop, &tree, drop_mapping, err);
	}
	return r < 0 ? r : to_bytes(meta, drop.freed_blocks, ret_bytes, err);
}

int thin_meta_usage(struct thin_meta *meta, uint32_t dev_id,
		    struct thin_meta_usage *ret, struct img_err *err)
{
	struct thin_meta_usage usage;
	struct thin_meta_dev dev;
	int r = thin_meta_dev(meta, dev_id, &dev, err);

	if (r == 0)
		r = to_bytes(meta, dev.mapped_blocks, &usage.mapped_bytes, err);
	if (r == 0)
		r = thin_meta_reclaimable(meta, &dev_id, 1,
					  &usage.exclusive_bytes, err);
	if (r == 0)
		*ret = usage;
	return r;
}

typedef int usage_fn(void *self, const struct thin_meta_dev *dev,
		     const struct thin_meta_usage *usage, struct img_err *err);

struct each_usage {
	struct drop drop;
	usage_fn *fn;
	void *self;
};

static void each_usage_release(struct each_usage *each)
{
	drop_release(&each->drop);
}

static int usage_of_dev(void *self, const struct thin_meta_dev *dev,
			struct img_err *err)
{
	struct each_usage *each = self;
	struct drop *drop = &each->drop;
	struct thin_meta_usage usage;
	struct meta_tree tree;
	int r = meta_device_tree(drop->meta, dev->id, &tree, NULL, err);

	if (r < 0)
		return r;
	drop->freed_blocks = 0;
	drop->budget = drop->meta->info.meta_blocks;
	r = drop_tree(drop, &tree, drop_mapping, err);
	if (r >= 0)
		r = to_bytes(drop->meta, drop->freed_blocks,
			     &usage.exclusive_bytes, err);
	if (r == 0)
		r = to_bytes(drop->meta, dev->mapped_blocks,
			     &usage.mapped_bytes, err);
	return r < 0 ? r : each->fn(each->self, dev, &usage, err);
}

int thin_meta_each_usage(struct thin_meta *meta, usage_fn *fn, void *self,
			 struct img_err *err)
{
	img_auto(each_usage_release) struct each_usage each = {
		.drop = { .meta = meta, .budget = meta->info.meta_blocks },
		.fn = fn,
		.self = self,
	};
	int r = drop_other(&each.drop, err);

	if (r < 0)
		return r;
	each.drop.remember = false;
	each.drop.look = true;
	return thin_meta_each_dev(meta, usage_of_dev, &each, err);
}
