#ifndef IMG_STORAGE_SHARE_H
#define IMG_STORAGE_SHARE_H

/*
 * Volumes that several processes run at once: each mounts the same device, of
 * which the kernel has one file system.
 *
 * Each of them has an intent of its own for as long as it runs, and holds its
 * byte: who begins makes the device, who ends last removes it, and the next
 * open of the store does that for one who died.  Whether there are others is
 * looked at, and the device removed, under the volume's lock; one who begins
 * has its row before it takes that lock.  So no device goes from under anybody.
 *
 * The first may ask to be alone for a while, to put something on the volume
 * that the others are to find there.
 */
#include "storage/volume.h"

/**
 * share_begin - join those who run a volume, or be the first
 * @ret: release with share_end; the device is not made yet
 * @ret_alone: nobody else has the volume, and nobody gets it before
 *	share_admit
 *
 * In a transaction of its own.  Waits for who is alone on it, or makes it
 * larger, for a minute; then that is IMG_E_BUSY.  IMG_E_NOT_FOUND where the
 * volume is gone.
 */
int share_begin(struct store *store, uint32_t volume,
		struct volume_pending *ret, bool *ret_alone,
		struct img_err *err) IMG_MUST_USE;

/* Others may join.  In a transaction of its own. */
int share_admit(struct volume_pending *share, struct img_err *err) IMG_MUST_USE;

/**
 * share_end - leave the volume to the others; the last one removes its device
 *
 * Waits up to ten seconds for the kernel to let go of it.  After a failure the
 * next open of the store tries again; @share is released in every case.
 */
int share_end(struct volume_pending *share, struct img_err *err) IMG_MUST_USE;

/* Waits until nobody has the volume, ten seconds at most: then it is
 * IMG_E_BUSY. Before the transaction that removes it. */
int share_await_end(struct store *store, uint32_t volume,
		    struct img_err *err) IMG_MUST_USE;

/* Ends what a process that died had.  The intent's byte is held and stays so;
 * its row goes. */
int share_recover(struct store *store, const struct volume *volume,
		  int64_t intent, struct img_err *err) IMG_MUST_USE;

#endif
