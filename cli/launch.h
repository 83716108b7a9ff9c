#ifndef IMG_CLI_LAUNCH_H
#define IMG_CLI_LAUNCH_H

/*
 * From a container's row and volume to a process, and back to a row: what
 * `run` and `start` have in common.
 *
 * A container's configuration is the OCI config object of its image with what
 * the command line changed, and beside it Hostname, Tty, OpenStdin, and
 * HostConfig, as docker inspect shows them.
 */
#include "cli/container.h"

#include <jansson.h>

struct detach;

/**
 * launch - run a container's command and wait for its end
 * @pending: the volume, held by this process as running
 * @detach: the monitor's side of a detached start, or NULL; is told that the
 *	command runs, or gets the exit status of a start that failed
 * @ret_status: exit status of the command; where the start failed, what `run`
 *	exits with: 125, 126 or 127
 * @ret_started: whether the command ever ran
 *
 * Leaves rows alone; the caller settles them by launch_end.
 */
int launch(struct store *store, const struct container_row *row,
	   struct volume_pending *pending, struct detach *detach,
	   int *ret_status, bool *ret_started,
	   struct img_err *err) IMG_MUST_USE;

/* For a start that failed: where the command is why (126, 127) that is said,
 * and is what to exit with; else it is @r, which may be no failure at all. */
int launch_blame(int r, int status, const struct img_err *err);

/**
 * launch_end - record the end of a container, or remove it
 * @remove: forget the container and its volume
 */
int launch_end(struct store *store, const struct container_row *row,
	       struct volume_pending *pending, int status, bool remove,
	       struct img_err *err) IMG_MUST_USE;

#endif
