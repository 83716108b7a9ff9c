#include "storage/thin.h"

#include "base/cleanup.h"
#include "storage/backing.h"
#include "storage/hold.h"
#include "storage/ledger.h"
#include "storage/meta.h"
#include "storage/orphans.h"

/* A pool in use may be read while it changes; then it is read again. */
#define READ_TRIES 3

static int add_dev(void *self, const struct thin_meta_dev *dev,
		   struct img_err *err)
{
	if (dev->id != LEDGER_VOLUME)
		volume_ids_add(self, dev->id);
	return 0;
}

int thin_list(struct store *store, struct volume_ids *ret, bool *ret_is_new,
	      struct img_err *err)
{
	img_auto(img_fd_release) int fd = -1;
	int r = backing_open(store, BACKING_METADATA, &fd, err);

	if (r < 0)
		return r;
	for (int try = 0; try < READ_TRIES; try++) {
		img_auto(thin_meta_release) struct thin_meta *meta = NULL;
		struct img_err one = { 0 };
		struct thin_meta_dev ledger;

		volume_ids_release(ret);
		r = thin_meta_open(fd, NULL, &meta, &one);
		if (r == 0)
			r = thin_meta_each_dev(meta, add_dev, ret, &one);
		if (r == 0) {
			struct img_err none = { 0 };

			*ret_is_new =
				ret->n == 0 &&
				thin_meta_dev(meta, LEDGER_VOLUME, &ledger,
					      &none) == -IMG_E_NOT_FOUND;
			return 0;
		}
		if (r != -IMG_E_CORRUPT || try + 1 == READ_TRIES) {
			*err = one;
			return r;
		}
	}
	return r;
}

void thin_drop_old_hold(struct store *store)
{
	img_auto(thin_meta_release) struct thin_meta *meta = NULL;
	struct img_err dropped = { 0 };
	img_auto(img_fd_release) int fd = -1;

	if (backing_open(store, BACKING_METADATA, &fd, &dropped) == 0 &&
	    thin_meta_open(fd, NULL, &meta, &dropped) == 0 &&
	    thin_meta_info(meta)->snapshot_block)
		IMG_IGNORE(hold_drop_stale(store, &dropped));
}
