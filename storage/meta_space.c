#include "storage/meta_space.h"

#include "base/cleanup.h"

#include <endian.h>
#include <inttypes.h>

int meta_space_init(struct meta_space *space, struct meta_cache *cache,
		    const struct meta_disk_space *disk, bool is_metadata,
		    struct img_err *err)
{
	uint64_t index_max = (uint64_t)META_INDEX_MAX * META_BITMAP_ENTRIES;

	*space = (struct meta_space){
		.what = is_metadata ? "metadata" : "data",
		.nr_blocks = le64toh(disk->nr_blocks),
		.nr_used = le64toh(disk->nr_used),
		.has_index_block = is_metadata,
		.bitmaps = { .what = is_metadata ? "metadata bitmap index"
						 : "data bitmap tree",
			     .root = le64toh(disk->bitmap_root),
			     .value_bytes =
				     sizeof(struct meta_disk_index_entry) },
		.overflow = { .what = is_metadata ? "metadata count tree"
						  : "data count tree",
			      .root = le64toh(disk->overflow_root),
			      .value_bytes = sizeof(uint32_t) },
	};
	if (space->nr_used > space->nr_blocks)
		return meta_block_bad(cache, 0, err,
				      "has more %s blocks used than there are",
				      space->what);
	if (is_metadata && (!space->nr_blocks || space->nr_blocks > index_max))
		return meta_block_bad(cache, 0, err,
				      "has an impossible size of the metadata");
	/* A mapping has 40 bits for the data block. */
	if (space->nr_blocks > UINT64_C(1) << (64 - META_TIME_BITS))
		return meta_block_bad(cache, 0, err,
				      "has an impossible size of the data");
	return 0;
}

/* Finds the bitmap block that has the counts of the @index'th stretch. */
static int find_bitmap(struct meta_space *space, struct meta_cache *cache,
		       uint64_t index, uint64_t *ret, struct img_err *err)
{
	img_auto(meta_pin_release) struct meta_pin pin = { 0 };
	struct meta_disk_index_entry entry;
	int r;

	if (space->recent_block && space->recent_index == index) {
		*ret = space->recent_block;
		return 0;
	}
	if (space->has_index_block) {
		r = meta_block_pin(cache, space->bitmaps.root, META_INDEX, &pin,
				   err);
		if (r < 0)
			return r;
		entry = pin.index->entry[index];
	} else {
		r = meta_tree_lookup(cache, &space->bitmaps, index, &entry,
				     NULL, err);
		if (r < 0)
			return r;
		if (r == 0)
			return meta_block_bad(cache, space->bitmaps.root, err,
					      "has no bitmap %" PRIu64
					      " in the %s",
					      index, space->bitmaps.what);
	}
	space->recent_index = index;
	space->recent_block = *ret = le64toh(entry.block);
	return 0;
}

static int overflow_refs(struct meta_space *space, struct meta_cache *cache,
			 uint64_t block, uint32_t *ret, struct img_err *err)
{
	uint32_t raw;
	int r = meta_tree_lookup(cache, &space->overflow, block, &raw, NULL,
				 err);

	if (r < 0)
		return r;
	if (r == 0)
		return meta_block_bad(cache, space->overflow.root, err,
				      "has no count of %s block %" PRIu64,
				      space->what, block);
	*ret = le32toh(raw);
	return 0;
}

uint64_t meta_space_stretches(const struct meta_space *space)
{
	return (space->nr_blocks + META_BITMAP_ENTRIES - 1) /
	       META_BITMAP_ENTRIES;
}

int meta_space_bitmap(struct meta_space *space, struct meta_cache *cache,
		      uint64_t stretch, struct meta_pin *pin,
		      struct img_err *err)
{
	uint64_t block = 0;
	int r = find_bitmap(space, cache, stretch, &block, err);

	return r < 0 ? r : meta_block_pin(cache, block, META_BITMAP, pin, err);
}

int meta_space_refs(struct meta_space *space, struct meta_cache *cache,
		    uint64_t block, uint32_t *ret, struct img_err *err)
{
	img_auto(meta_pin_release) struct meta_pin pin = { 0 };
	int r;

	if (block >= space->nr_blocks)
		return img_err_set(err, IMG_E_CORRUPT, 0,
				   "%s: %s block %" PRIu64
				   " is past the end, %" PRIu64,
				   cache->name, space->what, block,
				   space->nr_blocks);
	r = meta_space_bitmap(space, cache, block / META_BITMAP_ENTRIES, &pin,
			      err);
	if (r < 0)
		return r;
	*ret = meta_bitmap_refs(pin.bitmap, block % META_BITMAP_ENTRIES);
	if (*ret != META_REFS_OVERFLOW)
		return 0;
	return overflow_refs(space, cache, block, ret, err);
}
