/*
 * Who uses what of the whole pool, and what a set of volumes has together: one
 * look at the metadata each, as of one commit.
 */
#include "base/cleanup.h"
#include "base/str.h"
#include "storage/backing.h"
#include "storage/hold.h"
#include "storage/ledger.h"
#include "storage/meta.h"
#include "storage/thin.h"

/* A pool in use may be read while it changes; then it is read again, and at
 * last held still. */
#define READ_TRIES 3

struct look {
	struct account_all all;
	size_t room;
	const uint32_t *volumes;
	size_t count;
	uint64_t bytes;
};

typedef int look_fn(struct thin_meta *meta, struct look *look,
		    struct img_err *err);

static int look_held(struct store *store, look_fn *fn, struct look *look,
		     struct img_err *err)
{
	img_auto(hold_release) struct hold hold = HOLD_NONE;
	int r = hold_begin(store, &hold, err);

	return r < 0 ? r : fn(hold.meta, look, err);
}

static int look_at(struct store *store, look_fn *fn, struct look *look,
		   struct img_err *err)
{
	img_auto(img_fd_release) int fd = -1;
	int r = backing_open(store, BACKING_METADATA, &fd, err);

	if (r < 0)
		return r;
	for (int try = 0; try < READ_TRIES; try++) {
		img_auto(thin_meta_release) struct thin_meta *meta = NULL;
		struct img_err one = { 0 };

		r = thin_meta_open(fd, NULL, &meta, &one);
		if (r == 0)
			r = fn(meta, look, &one);
		if (r != -IMG_E_CORRUPT) {
			if (r < 0)
				*err = one;
			return r;
		}
	}
	return look_held(store, fn, look, err);
}

static int add(void *self, const struct thin_meta_dev *dev,
	       const struct thin_meta_usage *usage, struct img_err *err)
{
	struct look *look = self;
	struct account_all *all = &look->all;

	all->shared_bytes -= usage->exclusive_bytes;
	if (dev->id == LEDGER_VOLUME) {
		all->ledger_bytes = usage->exclusive_bytes;
		return 0;
	}
	if (all->n == look->room) {
		look->room = look->room ? 2 * look->room : 64;
		all->row =
			mem_realloc(all->row, look->room * sizeof(*all->row));
	}
	all->row[all->n++] = (struct account_row){
		dev->id,
		{ usage->mapped_bytes, usage->exclusive_bytes },
	};
	return 0;
}

static int look_all(struct thin_meta *meta, struct look *look,
		    struct img_err *err)
{
	const struct thin_meta_info *info = thin_meta_info(meta);

	look->all.n = 0;
	look->all.ledger_bytes = 0;
	look->all.used_bytes = info->data_blocks_used * info->chunk_bytes;
	/* What is nobody's alone is several's. */
	look->all.shared_bytes = look->all.used_bytes;
	return thin_meta_each_usage(meta, add, look, err);
}

int thin_usage_all(struct store *store, struct account_all *ret,
		   struct img_err *err)
{
	struct look look = { 0 };
	int r = look_at(store, look_all, &look, err);

	if (r < 0)
		account_all_release(&look.all);
	*ret = look.all;
	return r;
}

static int look_together(struct thin_meta *meta, struct look *look,
			 struct img_err *err)
{
	return thin_meta_reclaimable(meta, look->volumes, look->count,
				     &look->bytes, err);
}

int thin_usage_together(struct store *store, const uint32_t *volumes,
			size_t count, uint64_t *ret_bytes, struct img_err *err)
{
	struct look look = { .volumes = volumes, .count = count };
	int r = look_at(store, look_together, &look, err);

	*ret_bytes = look.bytes;
	return r;
}
