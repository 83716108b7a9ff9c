#include "storage/meta_counts.h"

#include "base/str.h"

#include <stdlib.h>

#define FIRST_CAP 64u

/* The block's slot, or the empty one where it belongs.  Numbers that follow
 * one another are spread by the multiplication (2^64 over the golden ratio). */
static struct meta_count *slot_of(const struct meta_counts *counts,
				  uint64_t block)
{
	size_t mask = counts->cap - 1;
	size_t i = (size_t)(block * UINT64_C(0x9e3779b97f4a7c15) >> 32) & mask;

	while (counts->slots[i].block_plus_1 &&
	       counts->slots[i].block_plus_1 != block + 1)
		i = (i + 1) & mask;
	return &counts->slots[i];
}

static void grow(struct meta_counts *counts)
{
	struct meta_counts bigger = {
		.cap = counts->cap ? counts->cap * 2 : FIRST_CAP,
		.len = counts->len,
	};

	bigger.slots = mem_zalloc(bigger.cap * sizeof(*bigger.slots));
	for (size_t i = 0; i < counts->cap; i++) {
		const struct meta_count *old = &counts->slots[i];

		if (old->block_plus_1)
			*slot_of(&bigger, old->block_plus_1 - 1) = *old;
	}
	free(counts->slots);
	*counts = bigger;
}

struct meta_count *meta_counts_get(const struct meta_counts *counts,
				   uint64_t block)
{
	struct meta_count *slot;

	if (!counts->len)
		return NULL;
	slot = slot_of(counts, block);
	return slot->block_plus_1 ? slot : NULL;
}

void meta_counts_put(struct meta_counts *counts, uint64_t block, uint32_t left)
{
	/* Two thirds full at most. */
	if (counts->len * 3 >= counts->cap * 2)
		grow(counts);
	*slot_of(counts, block) = (struct meta_count){ block + 1, left };
	counts->len++;
}

void meta_counts_release(struct meta_counts *counts)
{
	free(counts->slots);
	*counts = (struct meta_counts){ 0 };
}
