#ifndef IMG_BASE_LOCK_H
#define IMG_BASE_LOCK_H

/*
 * Locks between processes.
 *
 * A lock is one byte of a file, held by an open file description (F_OFD_*):
 * the kernel lets go of it when the holder dies, however it dies, so a lock
 * that can be taken proves that nobody is at work.  A child shares its
 * parent's locks until it closes the file or executes another program.
 */
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* Opens @path for locking, mode 0600, making it when missing; *ret_fd is the
 * caller's.  Each open has locks of its own. */
int lock_open(const char *path, int *ret_fd, struct img_err *err) IMG_MUST_USE;

/* Lets go of all that was held by @fd, and sets it to -1. */
void lock_close(int *fd);

/* Waits until byte @offset is ours alone.  @name is what it stands for, as in
 * "the lock of the ledger"; the offset is its rank (base/lock_order.h). */
int lock_wait(int fd, uint64_t offset, const char *name,
	      struct img_err *err) IMG_MUST_USE;

/* Waits until nobody has byte @offset alone, and keeps it so: others may hold
 * it as well in this way.  Who holds it for long has a byte that others only
 * try. */
int lock_wait_shared(int fd, uint64_t offset, const char *name,
		     struct img_err *err) IMG_MUST_USE;

/* 1 when byte @offset is now ours alone, 0 when another holds it, <0 on
 * failure. */
int lock_try(int fd, uint64_t offset, struct img_err *err) IMG_MUST_USE;

/* 1 when another open file holds byte @offset, 0 when nobody else does. */
int lock_is_held(int fd, uint64_t offset, struct img_err *err) IMG_MUST_USE;

/* 1 when another open file holds any byte from @offset on. */
int lock_is_held_from(int fd, uint64_t offset,
		      struct img_err *err) IMG_MUST_USE;

void lock_drop(int fd, uint64_t offset);

/* A held byte, let go of at the end of a scope; fd -1 means none. */
struct lock {
	int fd;
	uint64_t offset;
};

static inline void lock_release(struct lock *lock)
{
	if (lock->fd >= 0)
		lock_drop(lock->fd, lock->offset);
	lock->fd = -1;
}

#endif
