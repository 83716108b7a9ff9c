#ifndef IMG_STORAGE_VOLUME_IMPL_H
#define IMG_STORAGE_VOLUME_IMPL_H

/*
 * What volumes share with recovery, inside storage/.
 */
#include "storage/intent.h"
#include "storage/store_impl.h"

/**
 * volume_lock - wait for the lock of a volume's device
 *
 * Held while the device is made, removed, or suspended for a snapshot: a
 * second snapshot of it must not resume it under the first, and a volume must
 * not become active between being found inactive and its snapshot.
 */
int volume_lock(struct store *store, uint32_t id, struct lock *ret,
		struct img_err *err) IMG_MUST_USE;

typedef int volume_fn(struct store *store, const struct volume *volume,
		      struct img_err *err);

/* Notes what this process does to a volume, within a transaction of the
 * caller's; IMG_E_BUSY when another one is at it, or use_check says no. */
int volume_begin(struct store *store, const struct volume *volume,
		 enum intent_op op, struct volume_pending *ret,
		 struct img_err *err) IMG_MUST_USE;

/* Calls a driver's operation until it is not IMG_E_BUSY any more, for ten
 * seconds at most: a dying container's kernel state needs a moment to go. */
int volume_retry(struct store *store, const struct volume *volume,
		 volume_fn *fn, struct img_err *err) IMG_MUST_USE;

#endif
