#ifndef IMG_STORAGE_MERGE_H
#define IMG_STORAGE_MERGE_H

/*
 * Folding a volume into the one that it was made from, in place.
 *
 * Only where the driver has such volumes (storage/snap.h); elsewhere a copy
 * costs nothing.  The image's rows change in the transaction that begins the
 * merge: from then on it can only be gone on with, and whoever opens the store
 * after a crash does that (storage/recover.h).  Until it has ended, nothing is
 * made from either volume, and neither is used or removed.
 */
#include "base/progress.h"
#include "storage/volume.h"

/**
 * merge_base - what a volume can be merged into
 * @ret_base: 0: into nothing
 * @ret_others: how many other volumes are made from that
 */
int merge_base(struct store *store, const struct volume *volume,
	       uint32_t *ret_base, unsigned *ret_others,
	       struct img_err *err) IMG_MUST_USE;

/**
 * merge_begin - note that a volume is to be merged into its base
 *
 * Within a durable transaction of the caller's, after whose commit merge_finish
 * follows.  Returns 0, or IMG_E_BUSY when something else is made from the base,
 * or either volume is in use.
 */
int merge_begin(struct store *store, const struct volume *volume,
		struct volume_pending *ret, struct img_err *err) IMG_MUST_USE;

/* Merges.  After a failure the next open of the store goes on with it. */
int merge_finish(struct volume_pending *pending,
		 const struct progress *progress,
		 struct img_err *err) IMG_MUST_USE;

/* IMG_E_BUSY while a volume takes part in a merge. */
int merge_check(struct store *store, uint32_t volume,
		struct img_err *err) IMG_MUST_USE;

/* With the intent's byte held: goes on with it, and ends the intent. */
int merge_go_on(struct store *store, const struct volume *volume,
		int64_t intent, const struct progress *progress,
		struct img_err *err) IMG_MUST_USE;

#endif
