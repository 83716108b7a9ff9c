#ifndef IMG_STORAGE_RECLAIM_H
#define IMG_STORAGE_RECLAIM_H

/*
 * Space of the host that the pool's data file takes and the pool has not in
 * use: what a removal could not discard, because a crash or a metadata
 * snapshot was in the way.
 *
 * Only a pool that is down is sure not to use a free block the next moment.
 */
#include "storage/store.h"

/* How much that is, at least; of a pool in use as of now. */
int reclaim_look(struct store *store, uint64_t *ret_bytes,
		 struct img_err *err) IMG_MUST_USE;

/**
 * reclaim_unused - give it back to the host's file system
 *
 * Takes the pool down; the next command that needs it brings it up.
 * IMG_E_BUSY while anything uses it.  A crash leaves less to reclaim.
 */
int reclaim_unused(struct store *store, uint64_t *ret_bytes,
		   struct img_err *err) IMG_MUST_USE;

#endif
