#ifndef IMG_STORAGE_META_HANDLE_H
#define IMG_STORAGE_META_HANDLE_H

/*
 * What the files of the metadata reader share: the open handle, and how a
 * volume's tree is found and its entries are understood.
 */
#include "base/attr.h"
#include "base/err.h"
#include "storage/meta.h"
#include "storage/meta_block.h"
#include "storage/meta_btree.h"
#include "storage/meta_space.h"

#include <stdbool.h>
#include <stdint.h>

struct thin_meta {
	struct meta_cache cache;
	struct thin_meta_info info;
	bool from_snapshot;
	uint64_t live_root;	  /* of the live device tree */
	uint32_t super_csum;	  /* of the live superblock */
	struct meta_tree devices; /* device id -> root of its mapping tree */
	struct meta_tree details; /* device id -> struct meta_disk_details */
	struct meta_space data, meta;
};

/* Where one block of a volume lies. */
struct meta_mapping {
	uint64_t data;
	uint32_t time;
};

/* The tree of one volume, from the root that the device tree names. */
struct meta_tree meta_mapping_tree(uint64_t root);

/**
 * meta_device_tree - find the mapping tree of a volume
 * @path: nodes of the device tree on the way; may be NULL
 * Returns 0, or -IMG_E_NOT_FOUND, -IMG_E_CORRUPT, -IMG_E_SYS.
 */
int meta_device_tree(struct thin_meta *meta, uint32_t dev_id,
		     struct meta_tree *ret, struct meta_path *path,
		     struct img_err *err) IMG_MUST_USE;

/**
 * meta_mapping_of - understand the mapping that an iterator stands on
 *
 * Both blocks are in bounds: the data block is in the pool, and the volume's
 * end can be told in bytes.  Returns 0 or -IMG_E_CORRUPT.
 */
int meta_mapping_of(const struct thin_meta *meta, const struct meta_iter *it,
		    struct meta_mapping *ret, struct img_err *err) IMG_MUST_USE;

/* Reference counts of blocks that are in use: none is -IMG_E_CORRUPT. */
int meta_used_node_refs(struct thin_meta *meta, uint64_t block, uint32_t *ret,
			struct img_err *err) IMG_MUST_USE;
int meta_used_data_refs(struct thin_meta *meta, uint64_t block, uint32_t *ret,
			struct img_err *err) IMG_MUST_USE;

/* Pins the superblock, or the copy of it that is a metadata snapshot, with
 * its constants checked. */
int meta_super_pin(struct meta_cache *cache, uint64_t block,
		   struct meta_pin *pin, struct img_err *err) IMG_MUST_USE;

#endif
