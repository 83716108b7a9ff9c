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

/**
 * clone_fork_into - fork(2) of a child that begins in a given cgroup
 * @cgroup: a directory of cgroup2
 * @ret_pidfd: the caller closes it; set in the parent alone
 *
 * Nothing that the C library does at a fork is done: for a process with one
 * thread, whose child is soon at its exec.  Returns as fork(2) does, with the
 * errors of clone_into; EAGAIN where the cgroup takes no process more.
 */
pid_t clone_fork_into(int cgroup, int *ret_pidfd);

#endif
