#ifndef IMG_RUNTIME_CGROUP_H
#define IMG_RUNTIME_CGROUP_H

/*
 * The cgroup of one container: PARENT/<id>, of version 2.
 *
 * It is made before the container's first process, which begins in it
 * (runtime/clone_into.h), and removed when the last one is gone; so no process
 * of a container is ever outside, and none of it stays behind.  A supervisor
 * that is killed leaves it to cgroup_collect.
 *
 * Without limits a container needs none: where this host has no place for one
 * it runs without, and cannot be paused.
 */
#include "base/err.h"
#include "runtime/cgroup_limits.h"
#include "runtime/cgroup_tree.h"

#include <stdbool.h>

struct cgroup {
	int parent, dir; /* -1: there is none */
	char name[65];
};
#define CGROUP_EMPTY ((struct cgroup){ .parent = -1, .dir = -1 })

/* What a cgroup is to be; borrowed. */
struct cgroup_plan {
	const char *parent; /* cgroup_parent_check'ed; NULL: CGROUP_PARENT */
	const char *id;
	const struct cgroup_limits *limits; /* NULL: none */
	dev_t root_device;
};

/**
 * cgroup_make - make a container's cgroup, with its limits
 * @ret: end it by cgroup_end; CGROUP_EMPTY where there can be none and none is
 *	needed
 *
 * Containers that name no limit of processes get CGROUP_PIDS_DEFAULT where the
 * controller is there.  Errors: IMG_E_UNSUPPORTED naming what the host lacks.
 * After a failure nothing is left of it, but its parents may have been made.
 */
int cgroup_make(const struct cgroup_plan *plan, struct cgroup *ret,
		struct img_err *err) IMG_MUST_USE;

/* Changes the limits of one that is there.  Errors as above. */
int cgroup_change(int dir, const struct cgroup_limits *limits,
		  dev_t root_device, struct img_err *err) IMG_MUST_USE;

/**
 * cgroup_end - kill what is left in a cgroup, and remove it
 *
 * Best effort: what cannot be removed is empty.  Leaves CGROUP_EMPTY.
 */
void cgroup_end(struct cgroup *cgroup);

/* The same, for a container whose supervisor was killed. */
void cgroup_collect(const char *parent, const char *id);

#endif
