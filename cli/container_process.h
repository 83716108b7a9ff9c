#ifndef IMG_CLI_CONTAINER_PROCESS_H
#define IMG_CLI_CONTAINER_PROCESS_H

/*
 * The processes of a container that another command supervises: signals to its
 * first one, and waiting for its end.
 *
 * A number may be another process's by the time it is used; a descriptor of
 * the process may not.  So each is opened first, and believed only if the
 * container still runs afterwards.
 */
#include "cli/container.h"

/* 1 with a pidfd of the container's first process, which the caller closes; 0
 * when the container does not run. */
int container_process_open(struct store *store, const struct container_row *row,
			   int *ret_pidfd, struct img_err *err) IMG_MUST_USE;

/* The same for who wants it to run: 0, or IMG_E_NOT_FOUND saying that it does
 * not. */
int container_process_need(struct store *store, const struct container_row *row,
			   int *ret_pidfd, struct img_err *err) IMG_MUST_USE;

/* 1 when the signal was sent, and is in the journal of events, 0 when the
 * container does not run. */
int container_process_signal(struct store *store,
			     const struct container_row *row, int sig,
			     struct img_err *err) IMG_MUST_USE;

/**
 * container_process_wait - until nothing of the container runs any more
 * @timeout_ms: negative: however long it takes
 *
 * Returns 0 once its supervisor has let go of it as well, so that it can be
 * removed and its status read; 1 when the time was over before.
 */
int container_process_wait(struct store *store, const struct container_row *row,
			   int timeout_ms, struct img_err *err) IMG_MUST_USE;

/* How a container wants to be asked to end. */
struct container_stop {
	int sig;     /* 0: as its configuration says, or TERM */
	int grace_s; /* -1: for ever; CONTAINER_STOP_OWN: as it says, or 10 */
};
#define CONTAINER_STOP_OWN (-2)

/* Asks it to end, and kills it after the grace; 0 also when it did not run.
 * One that did is in the journal. */
int container_process_stop(struct store *store, const struct container_row *row,
			   const struct container_stop *how,
			   struct img_err *err) IMG_MUST_USE;

/* Kills it and waits; 0 also when it did not run.  IMG_E_BUSY when it does not
 * end within ten seconds. */
int container_process_kill(struct store *store, const struct container_row *row,
			   struct img_err *err) IMG_MUST_USE;

#endif
