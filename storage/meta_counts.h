#ifndef IMG_STORAGE_META_COUNTS_H
#define IMG_STORAGE_META_COUNTS_H

/*
 * Reference counts as they would be if something were deleted: a hash table
 * over the counts on disk that holds only those that have changed.
 */
#include "base/attr.h"

#include <stddef.h>
#include <stdint.h>

struct meta_count {
	uint64_t block_plus_1; /* 0: an empty slot */
	uint32_t left;
};

/* Zero-initialise. */
struct meta_counts {
	struct meta_count *slots;
	size_t cap, len;
};

/* The block's entry, or NULL; valid until the next put. */
struct meta_count *meta_counts_get(const struct meta_counts *counts,
				   uint64_t block) IMG_MUST_USE;
/* @block must have no entry yet and be less than UINT64_MAX. */
void meta_counts_put(struct meta_counts *counts, uint64_t block, uint32_t left);
void meta_counts_release(struct meta_counts *counts);

#endif
