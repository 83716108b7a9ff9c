#ifndef IMG_STORAGE_BACKING_DEVICE_H
#define IMG_STORAGE_BACKING_DEVICE_H

/*
 * A pool on two block devices: choosing them when the store is made, knowing
 * them again at each start.
 */
#include "storage/store_impl.h"

/**
 * backing_device_make - take two devices for a new store
 * @options: names them, and says whether what they hold may be overwritten
 * @sizes: data_bytes and metadata_bytes are set from the devices
 *
 * Nothing is written before everything was found to be right; then both are
 * made to look new.  Their marks come with the first start of the pool.
 *
 * Returns 0, or IMG_E_INPUT (too small, too large, one device twice),
 * IMG_E_EXISTS (it holds something), IMG_E_BUSY (somebody uses it), IMG_E_SYS.
 */
int backing_device_make(const struct store_options *options,
			struct store_sizes *sizes,
			struct img_err *err) IMG_MUST_USE;

/* Makes sure that the two names lead to the store's own devices, looking at
 * all of the system's if they do not, and remembers the new names. */
int backing_device_find(struct store *store, struct img_err *err) IMG_MUST_USE;

/* Both devices are used as far as they reach by now: sets the two sizes, and
 * puts a label where the data is to end.  IMG_E_INPUT when that is less than
 * @sizes wants. */
int backing_device_grow(struct store *store, struct store_sizes *sizes,
			struct img_err *err) IMG_MUST_USE;

/* See backing_mark. */
int backing_device_mark(struct store *store, struct img_err *err) IMG_MUST_USE;

#endif
