#ifndef IMG_STORAGE_META_RANGE_H
#define IMG_STORAGE_META_RANGE_H

/*
 * Blocks of a volume go in one by one, by ascending number; ranges as long as
 * can be come out, of one kind each.
 */
#include "base/attr.h"
#include "base/err.h"
#include "storage/meta.h"

#include <stdint.h>

typedef int meta_range_fn(void *self, const struct thin_meta_range *range,
			  struct img_err *err);

struct meta_merger {
	meta_range_fn *fn;
	void *self;		      /* of fn */
	struct thin_meta_range range; /* not handed out yet; length 0: none */
};

/* Takes a block; returns 0, or what fn returned for the range before it. */
int meta_merger_add(struct meta_merger *merger, enum thin_meta_kind kind,
		    uint64_t block, struct img_err *err) IMG_MUST_USE;

/* Hands out the last range; returns 0, or what fn returned. */
int meta_merger_flush(struct meta_merger *merger,
		      struct img_err *err) IMG_MUST_USE;

#endif
