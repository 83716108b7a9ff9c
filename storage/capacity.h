#ifndef IMG_STORAGE_CAPACITY_H
#define IMG_STORAGE_CAPACITY_H

/*
 * How large a store's pool is, what is kept free of it, and how it grows.
 *
 * New volumes are refused below a reserve of data and of metadata; removals
 * never are.  A pool on files of its own grows by itself before the reserve is
 * touched, as far as it may and as the host's file system has room.
 * storage/reserve.h has the figures, storage/grow.h what a crash leaves.
 */
#include "storage/grow.h"
#include "storage/store.h"

#include <stdbool.h>

/* dm-thin's counters have 24 bits; from half of that on they are warned about,
 * from 95 % on new volumes are refused. */
#define CAPACITY_COUNTER_MAX	((UINT64_C(1) << 24) - 1)
#define CAPACITY_COUNTER_WARN	(CAPACITY_COUNTER_MAX / 2 + 1)
#define CAPACITY_COUNTER_REFUSE (CAPACITY_COUNTER_MAX / 100 * 95)

/* Without a pool, data is what the volumes' files take and what the host's file
 * system has left beside them; there is no metadata, nor are snapshots
 * counted. */
struct capacity_status {
	struct store_usage usage;
	bool has_pool;
	uint64_t data_reserve_bytes, metadata_reserve_bytes;
	bool can_grow;	    /* by itself */
	uint64_t max_bytes; /* of data, then; 0: the host's limit */
	uint64_t time;	    /* snapshots ever made in this pool */
	uint64_t volume_id; /* the highest that ever was */
	uint64_t transaction_id;
};

/* IMG_E_NO_SPACE when no volume may be made now; grows the pool if that
 * helps. */
int capacity_check(struct store *store, struct img_err *err) IMG_MUST_USE;

/* Brings the pool up. */
int capacity_status(struct store *store, struct capacity_status *ret,
		    struct img_err *err) IMG_MUST_USE;

/**
 * capacity_grow - make the pool larger than it is
 * @target: what is to grow, larger than now; on devices all zero, since both
 *	are used as far as they reach
 *
 * IMG_E_UNSUPPORTED where the driver has no pool.
 * Data may become larger than was allowed: that is allowed from then on.
 */
int capacity_grow(struct store *store, const struct grow_target *target,
		  struct img_err *err) IMG_MUST_USE;

/**
 * capacity_guard - for who waits while others write into the pool
 * @fd: -1 at first; the caller's to close
 *
 * Grows the pool if it is short of space now.  Called again whenever *fd is
 * readable it keeps on doing so; *fd stays -1 where nothing grows.
 */
int capacity_guard(struct store *store, int *fd,
		   struct img_err *err) IMG_MUST_USE;

/**
 * capacity_make_room - grow the pool for what is about to be written
 * @bytes: on their way into it
 *
 * For who writes much at once.  A look at the pool where nothing is to be
 * done.  A pool that cannot grow is no failure: the write itself tells.
 */
void capacity_make_room(struct store *store, uint64_t bytes);

/* If a full pool may be behind a failure, its message says so from here on.
 * Returns -err->code. */
int capacity_explain(struct store *store, struct img_err *err);

#endif
