#ifndef IMG_BASE_LOCK_ORDER_H
#define IMG_BASE_LOCK_ORDER_H

/*
 * The order in which a process may wait for locks, watched while it runs.
 *
 * Every lock that is waited for has a rank.  A process that holds one may
 * wait only for such of a higher rank, so that no two can wait for each other;
 * docs/locking.md has them all.  Where IMG_CHECK_LOCKS is defined (the unit
 * tests, and `make CHECK_LOCKS=1`) a process that breaks the order ends by
 * abort(), after a line that names both locks, on the first try and not only
 * on the day on which another process comes the other way round.  Elsewhere
 * these are nothing.
 *
 * Locks that are only ever tried have no rank.  Of one thread: img has one.
 */
#include <stdint.h>

/* The bytes of a lock file have their offset as rank, below these. */
#define LOCK_RANK_DB	 (UINT64_MAX - 1) /* a database's write transaction */
#define LOCK_RANK_FROZEN UINT64_MAX /* a suspended device: others wait for it */

#ifdef IMG_CHECK_LOCKS

/* Aborts unless a lock of this rank may be waited for now; notes that it is
 * held, until lock_order_drop.  @name must stay as long.  One that @owner holds
 * already is no new one. */
void lock_order_take(uintptr_t owner, uint64_t rank, const char *name);
/* Does nothing for a lock that is not held. */
void lock_order_drop(uintptr_t owner, uint64_t rank);
/* All that @owner held: it is closed. */
void lock_order_forget(uintptr_t owner);
/* Aborts if any lock is held: @doing is too long for others to wait. */
void lock_order_none(const char *doing);

#else

static inline void lock_order_take(uintptr_t owner, uint64_t rank,
				   const char *name)
{
}

static inline void lock_order_drop(uintptr_t owner, uint64_t rank)
{
}

static inline void lock_order_forget(uintptr_t owner)
{
}

static inline void lock_order_none(const char *doing)
{
}

#endif

#endif
