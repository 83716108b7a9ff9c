#ifndef IMG_RUNTIME_SYSCALL_FILTER_H
#define IMG_RUNTIME_SYSCALL_FILTER_H

/*
 * Which system calls a container may make: a seccomp filter (seccomp(2)).
 *
 * The filter is compiled by libseccomp, which lives in the part "seccomp", and
 * the default one is kept as a file from then on: what starts a container
 * reads a few kilobytes and loads no library.
 *
 * The default profile has the reach of docker's: it refuses what changes the
 * kernel, the clock, mounts or other processes' memory, makes namespaces, or
 * only widens the surface of attack, unless the capability that it needs was
 * given.  runtime/syscall_default.c has the list.
 */
#include "base/err.h"

#include <linux/filter.h>
#include <stdint.h>

#define SYSCALL_FILTER_NONE "unconfined"

struct syscall_policy {
	/* JSON of a profile as docker and OCI write it; NULL: the default;
	 * SYSCALL_FILTER_NONE: none. */
	const char *profile;
	uint64_t capabilities; /* of the container; runtime/capability.h */
	const char *cache_dir; /* of root alone; NULL: nothing is kept */
};

/* A program of the kernel's, to be loaded.  Zero-initialised: none. */
struct syscall_filter {
	struct sock_filter *code;
	unsigned short n;
};

/**
 * syscall_filter_make - the filter of a policy
 * @ret: release with syscall_filter_release
 *
 * Returns 0, or IMG_E_INPUT for a profile that cannot be read, naming what is
 * wrong in it.  A cache that cannot be read or written costs time only.
 */
int syscall_filter_make(const struct syscall_policy *policy,
			struct syscall_filter *ret,
			struct img_err *err) IMG_MUST_USE;
void syscall_filter_release(struct syscall_filter *filter);

/**
 * syscall_filter_load - bind this process to a filter, for good
 *
 * Needs CAP_SYS_ADMIN or no_new_privs.  One system call, no memory of its own:
 * for the child, which shares the supervisor's.
 */
int syscall_filter_load(const struct syscall_filter *filter,
			struct img_err *err) IMG_MUST_USE;

#endif
