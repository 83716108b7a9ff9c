#ifndef IMG_RUNTIME_SUPERVISE_H
#define IMG_RUNTIME_SUPERVISE_H

/*
 * What the two kinds of supervisors have in common: the one in the foreground
 * (container_wait) and the monitor (runtime/monitor.h).
 */
#include "runtime/container.h"
#include "runtime/wake.h"

struct supervision {
	struct container *container;
	struct wake wake;
	int signals;
};

/* Ready to be woken: supervision_release must follow, in all cases. */
int supervision_begin(struct supervision *s, struct container *container,
		      struct img_err *err) IMG_MUST_USE;

/* Sees to what made wake.fd readable: 1 with the status when the container has
 * ended, else 0. */
int supervision_event(struct supervision *s, int *ret_status,
		      struct img_err *err);

/**
 * supervision_end - let go of a container that has ended
 * @r: what failed, or >= 0; after a failure it is killed first
 *
 * Returns 0 or @r.
 */
int supervision_end(struct supervision *s, int r);

#endif
