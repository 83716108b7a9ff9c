#include "storage/thin.h"

#include "base/cleanup.h"
#include "storage/backing.h"
#include "storage/meta.h"

/* A pool in use may be read while it changes; then it is read again. */
#define READ_TRIES 3

struct question {
	uint32_t base, volume;
	uint64_t chunk_bytes;
	struct account_usage usage;
	uint64_t change_bytes;
};

typedef int ask_fn(struct thin_meta *meta, struct question *q,
		   struct img_err *err);

static int ask(struct store *store, struct question *q, ask_fn *fn,
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
		if (r == 0) {
			q->chunk_bytes = thin_meta_info(meta)->chunk_bytes;
			r = fn(meta, q, &one);
		}
		if (r == -IMG_E_NOT_FOUND) /* no such volume */
			return 0;
		if (r >= 0)
			return 0;
		if (r != -IMG_E_CORRUPT || try + 1 == READ_TRIES)
			*err = one;
		if (r != -IMG_E_CORRUPT)
			break;
	}
	return r;
}

static int ask_usage(struct thin_meta *meta, struct question *q,
		     struct img_err *err)
{
	struct thin_meta_usage usage;
	int r = thin_meta_usage(meta, q->volume, &usage, err);

	if (r == 0)
		q->usage = (struct account_usage){ usage.mapped_bytes,
						   usage.exclusive_bytes };
	return r;
}

int thin_volume_usage(struct store *store, uint32_t volume,
		      struct account_usage *ret, struct img_err *err)
{
	struct question q = { .volume = volume };
	int r = ask(store, &q, ask_usage, err);

	*ret = q.usage;
	return r;
}

static int add_range(void *self, const struct thin_meta_range *range,
		     struct img_err *err)
{
	struct question *q = self;

	if (range->kind != THIN_META_ONLY_A)
		q->change_bytes += range->length * q->chunk_bytes;
	return 0;
}

static int ask_change(struct thin_meta *meta, struct question *q,
		      struct img_err *err)
{
	q->change_bytes = 0;
	return thin_meta_each_difference(meta, q->base, q->volume, add_range, q,
					 err);
}

int thin_volume_change(struct store *store, uint32_t base, uint32_t volume,
		       uint64_t *ret_bytes, struct img_err *err)
{
	struct question q = { .base = base, .volume = volume };
	int r = ask(store, &q, ask_change, err);

	*ret_bytes = q.change_bytes;
	return r;
}

int thin_host_bytes(struct store *store, uint64_t *ret, struct img_err *err)
{
	uint64_t data, metadata;
	int r = backing_host_bytes(store, &data, &metadata, err);

	*ret = data + metadata;
	return r;
}
