#ifndef IMG_STORAGE_VOLUME_IMPL_H
#define IMG_STORAGE_VOLUME_IMPL_H

/*
 * What volumes share with recovery, inside storage/.
 */
#include "storage/store_impl.h"

typedef int volume_fn(struct store *store, const struct volume *volume,
		      struct img_err *err);

/* Calls a driver's operation until it is not IMG_E_BUSY any more, for ten
 * seconds at most: a dying container's kernel state needs a moment to go. */
int volume_retry(struct store *store, const struct volume *volume,
		 volume_fn *fn, struct img_err *err) IMG_MUST_USE;

#endif
