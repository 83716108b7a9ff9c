#include "storage/thin.h"

#include "base/cleanup.h"
#include "base/num.h"
#include "storage/backing.h"
#include "storage/hold.h"
#include "storage/orphans.h"
#include "storage/peek.h"

/* How far two volumes are apart. */
struct distance {
	uint64_t blocks;    /* in which they differ at all */
	uint64_t of_volume; /* of these, what the volume maps */
	uint64_t enough;    /* more is not worth counting */
};

static int count_range(void *self, const struct thin_meta_range *range,
		       struct img_err *err)
{
	struct distance *distance = self;

	distance->blocks += range->length;
	if (range->kind != THIN_META_ONLY_A)
		distance->of_volume += range->length;
	return distance->blocks >= distance->enough;
}

/* The candidate that the volume shares something with and differs least
 * from: nothing says what a volume was made from but its blocks. */
static int find_origin(struct thin_meta *meta, uint32_t id,
		       const struct volume_ids *candidates, uint32_t *ret,
		       struct img_err *err)
{
	uint64_t best = UINT64_MAX;
	struct thin_meta_dev dev;
	int r = thin_meta_dev(meta, id, &dev, err);

	for (size_t i = 0; r >= 0 && i < candidates->n; i++) {
		struct distance distance = { .enough = best };

		r = thin_meta_each_difference(meta, candidates->id[i], id,
					      count_range, &distance, err);
		if (r != 0 || distance.of_volume >= dev.mapped_blocks)
			continue;
		best = distance.blocks;
		*ret = candidates->id[i];
		if (best == 0)
			break;
	}
	return r < 0 ? r : 0;
}

/* The size of its file system, or the end of what is mapped. */
int thin_least_bytes(const struct peek *peek, uint32_t id, uint64_t *ret,
		     struct img_err *err)
{
	uint64_t chunk = thin_meta_info(peek->meta)->chunk_bytes;
	uint64_t last = 0, fs = 0;
	int r = peek_fs_bytes(peek, id, &fs, err);

	*ret = r > 0 ? fs : 0;
	if (r >= 0)
		r = thin_meta_last(peek->meta, id, &last, err);
	/* The last chunk may be used in part. */
	if (r > 0 && last * chunk >= *ret)
		*ret = (last + 1) * chunk;
	return r < 0 ? r : 0;
}

int thin_describe(struct store *store, uint32_t id,
		  const struct volume_ids *candidates, struct volume *ret,
		  struct img_err *err)
{
	img_auto(img_fd_release) int data = -1;
	img_auto(hold_release) struct hold hold = HOLD_NONE;
	struct peek peek;
	int r = backing_open(store, BACKING_DATA, &data, err);

	if (r == 0)
		r = hold_begin(store, &hold, err);
	if (r < 0)
		return r;
	*ret = (struct volume){ .id = id };
	peek = (struct peek){ hold.meta, data };
	r = thin_least_bytes(&peek, id, &ret->size_bytes, err);
	if (r == 0 && ret->size_bytes == 0) /* nothing was ever written */
		ret->size_bytes = store->sizes.volume_bytes;
	return r < 0 ? r
		     : find_origin(hold.meta, id, candidates, &ret->origin,
				   err);
}
