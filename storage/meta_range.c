#include "storage/meta_range.h"

int meta_merger_flush(struct meta_merger *merger, struct img_err *err)
{
	struct thin_meta_range range = merger->range;

	merger->range.length = 0;
	return range.length ? merger->fn(merger->self, &range, err) : 0;
}

int meta_merger_add(struct meta_merger *merger, enum thin_meta_kind kind,
		    uint64_t block, struct img_err *err)
{
	struct thin_meta_range *range = &merger->range;
	int r;

	if (range->length && range->kind == kind &&
	    range->begin + range->length == block) {
		range->length++;
		return 0;
	}
	r = meta_merger_flush(merger, err);
	*range = (struct thin_meta_range){ kind, block, 1 };
	return r;
}
