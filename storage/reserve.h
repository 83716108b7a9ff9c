#ifndef IMG_STORAGE_RESERVE_H
#define IMG_STORAGE_RESERVE_H

/*
 * Room that is kept in a pool, so that what runs can go on and what is to go
 * can be removed.
 *
 * A new volume is refused while less than the reserve is free; removals never
 * are.  Of data, the reserve is for the writes of running containers and for
 * the ledger.  Of metadata, it is for the deletions themselves: a pool whose
 * metadata is exhausted takes no message any more, not even "delete"
 * (drivers/md/dm-thin.c, pool_message).
 *
 * Watched as well: the two counters of dm-thin that have 24 bits, volume ids
 * and the pool's time, which each snapshot moves on and which must not wrap.
 */
#include "storage/capacity.h"
#include "storage/store_impl.h"

/* What is kept of a pool of that size: as the store was told, else a fiftieth,
 * from 1 MiB to 1 GiB. */
uint64_t reserve_of_data(const struct store *store, uint64_t data_bytes);

/* A quarter, at least 4 MiB as the kernel itself keeps, at most half. */
uint64_t reserve_of_metadata(uint64_t metadata_bytes);

/* When less is free, a pool that can grow grows; the kernel's low water mark
 * too.  More than the reserve. */
uint64_t reserve_low_data(const struct store *store, uint64_t data_bytes);
uint64_t reserve_low_metadata(uint64_t metadata_bytes);

/**
 * reserve_check - whether a new volume may be made
 *
 * A pool that is short of space and may grow grows first.
 * Returns 0, or IMG_E_NO_SPACE saying what there is, what is kept, and what
 * to do.
 */
int reserve_check(struct store *store, struct img_err *err) IMG_MUST_USE;

/* Adds to a failure that a full pool may have caused, however it came back
 * (ENOSPC, EIO, EUCLEAN), that the pool is full.  Returns -err->code. */
int reserve_explain(struct store *store, struct img_err *err);

int reserve_status(struct store *store, struct capacity_status *ret,
		   struct img_err *err) IMG_MUST_USE;

#endif
