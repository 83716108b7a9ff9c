#ifndef IMG_RUNTIME_SYSCTL_H
#define IMG_RUNTIME_SYSCTL_H

/*
 * Kernel parameters of a container alone: --sysctl NAME=VALUE.
 *
 * Only those that a namespace has for itself can be set, and only where the
 * container has that namespace for itself: anything else would change the
 * host.  The list is docker's: messages and shared memory (IPC), message
 * queues (IPC), and all of net.*.
 */
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct sysctl {
	const char *name; /* "net.ipv4.ip_forward" */
	const char *value;
};

/* Returns 0, or IMG_E_INPUT that says why the container cannot have it.
 * @ipc, @net: it has such a namespace for itself. */
int sysctl_check(const char *name, bool ipc, bool net,
		 struct img_err *err) IMG_MUST_USE;

/* For the child, with its own /proc mounted and not guarded yet. */
int sysctl_set(const struct sysctl *list, size_t n,
	       struct img_err *err) IMG_MUST_USE;

#endif
