#ifndef IMG_CLI_CONTAINER_CGROUP_H
#define IMG_CLI_CONTAINER_CGROUP_H

/*
 * A running container's cgroup, found by asking the kernel where its first
 * process is.
 */
#include "cli/container.h"
#include "runtime/cgroup.h"

/**
 * container_cgroup - open it
 * @ret: a directory; the caller closes it
 *
 * 1; 0 where the container does not run, or has none.
 */
int container_cgroup(struct store *store, const struct container_row *row,
		     int *ret, struct img_err *err);

/* The same for verbs that need it: 0, or IMG_E_NOT_FOUND "it is not running",
 * or IMG_E_UNSUPPORTED saying why it has none. */
int container_cgroup_need(struct store *store, const struct container_row *row,
			  int *ret, struct img_err *err) IMG_MUST_USE;

/* Removes what a killed supervisor left. */
void container_cgroup_collect(const struct container_row *row);

#endif
