#ifndef IMG_STORAGE_META_SPACE_H
#define IMG_STORAGE_META_SPACE_H

/*
 * Space maps: how many pointers lead to each block, of data or of metadata.
 * Two bits for each block lie in bitmap blocks; counts over two lie in a
 * tree beside them.
 *
 * Source: drivers/md/persistent-data/dm-space-map-common.c.
 */
#include "base/attr.h"
#include "base/err.h"
#include "storage/meta_block.h"
#include "storage/meta_btree.h"

#include <stdbool.h>
#include <stdint.h>

struct meta_space {
	const char *what; /* "data", "metadata" */
	uint64_t nr_blocks, nr_used;
	bool has_index_block; /* the metadata's own; else bitmaps is a tree */
	struct meta_tree bitmaps;
	struct meta_tree overflow;
	/* The bitmap that was needed last. */
	uint64_t recent_index, recent_block; /* block 0: none */
};

/* From what the superblock has of it; checks the bounds of that. */
int meta_space_init(struct meta_space *space, struct meta_cache *cache,
		    const struct meta_disk_space *disk, bool is_metadata,
		    struct img_err *err) IMG_MUST_USE;

/**
 * meta_space_refs - how many pointers lead to a block
 * Returns 0, or -IMG_E_CORRUPT (a block past the end too), -IMG_E_SYS.
 */
int meta_space_refs(struct meta_space *space, struct meta_cache *cache,
		    uint64_t block, uint32_t *ret,
		    struct img_err *err) IMG_MUST_USE;

/* How many stretches of META_BITMAP_ENTRIES blocks there are. */
uint64_t meta_space_stretches(const struct meta_space *space);

/* Pins the bitmap of a stretch. */
int meta_space_bitmap(struct meta_space *space, struct meta_cache *cache,
		      uint64_t stretch, struct meta_pin *pin,
		      struct img_err *err) IMG_MUST_USE;

/* A count as a bitmap has it; META_REFS_OVERFLOW: see the tree. */
static inline unsigned meta_bitmap_refs(const struct meta_disk_bitmap *bitmap,
					uint64_t within)
{
	unsigned bits = bitmap->bits[within / 4] >> (within % 4 * 2) & 3;

	/* The first of the two is the more significant one. */
	return (bits & 1) << 1 | bits >> 1;
}

#endif
