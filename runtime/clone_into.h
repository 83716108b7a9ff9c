#ifndef IMG_RUNTIME_CLONE_INTO_H
#define IMG_RUNTIME_CLONE_INTO_H

/*
 * clone(2) of a child that begins in a given cgroup, by clone3(2) and
 * CLONE_INTO_CGROUP: there is no instant at which it is outside.
 *
 * The C library wraps clone() alone, so the step on to the child's own stack
 * is ours.
 */
#include <stddef.h>
#include <sys/types.h>

struct clone_plan {
	int (*fn)(void *self);
	void *self;
	void *stack; /* its lowest byte; not NULL */
	size_t stack_bytes;
	int flags;  /* of clone(2), with SIGCHLD; CLONE_PIDFD is added */
	int cgroup; /* a directory of cgroup2, or -1: where the caller is */
};

/**
 * clone_into - make the child
 * @ret_pidfd: the caller closes it
 *
 * Returns its number, or -1 with errno: as clone3(2); ENOSYS where this kernel,
 * or whoever guards it, has none.
 */
pid_t clone_into(const struct clone_plan *plan, int *ret_pidfd);

#endif
