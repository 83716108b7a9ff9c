#ifndef IMG_RUNTIME_CGROUP_STATE_H
#define IMG_RUNTIME_CGROUP_STATE_H

/*
 * The cgroup of a container that runs: where it is, whether it stands still,
 * and what the kernel had to kill in it.
 */
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * cgroup_of_process - the cgroup of a container's first process
 * @id: of the container, so of its cgroup; the process may have gone on into
 *	one below it
 * @ret: a directory; the caller closes it
 *
 * Returns 1, or 0 where the process is in no such cgroup, or gone.  Whose
 * number it is the caller must make sure of, before or after.
 */
int cgroup_of_process(pid_t pid, const char *id, int *ret, struct img_err *err);

/**
 * cgroup_freeze - stop all processes of a cgroup, or let them go on
 *
 * Returns when the kernel says that it is done; IMG_E_BUSY where that takes
 * more than ten seconds, with the wish undone; IMG_E_NOT_FOUND where it has
 * been removed meanwhile.
 */
int cgroup_freeze(int dir, bool frozen, struct img_err *err) IMG_MUST_USE;
/* 1 or 0. */
int cgroup_is_frozen(int dir, struct img_err *err);

/* Processes of it that were killed for want of memory; 0 where nobody counts. */
uint64_t cgroup_oom_kills(int dir);

#endif
