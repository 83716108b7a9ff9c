#ifndef IMG_RUNTIME_DETACH_H
#define IMG_RUNTIME_DETACH_H

/*
 * Leaving the terminal: a monitor process that becomes the container's
 * supervisor while the command that was typed returns.
 *
 *	r = detach_fork(&detach, err);
 *	if (r < 0 || !detach.is_monitor)
 *		return r;                   the command: started, or why not
 *	r = container_start(spec, &container, err);
 *	detach_report(&detach, container.pid, container.exit_status, err);
 *	if (r == 0)
 *		container_wait(&container, &status, err);
 *	...                                 and _exit or return from main
 */
#include "base/err.h"

#include <stdbool.h>
#include <sys/types.h>

struct detach {
	bool is_monitor;
	int report_fd; /* of the monitor */
	int client; /* of the monitor: who is attached from the start, or -1 */
	/* In the command, from the monitor's report. */
	pid_t monitor_pid;
	pid_t container_pid;
	int exit_status; /* of a failed start, as in struct container */
};

/**
 * detach_fork - split into the command and a monitor
 *
 * Returns twice.  In the monitor: at once, with is_monitor set, in a session
 * of its own; it has the command's standard streams until detach_streams.  In
 * the command: when the monitor has called detach_report, with that result, or
 * with -IMG_E_INTERNAL if it died before.
 *
 * Only before threads are made.  What the caller has open is open in both.
 */
int detach_fork(struct detach *ret, struct img_err *err) IMG_MUST_USE;

/* In the monitor: stdin, stdout and stderr become /dev/null. */
int detach_streams(struct img_err *err) IMG_MUST_USE;

/**
 * detach_report - the monitor's one message to the command
 * @container_pid: of a container that started
 * @exit_status: where @err holds a failure, of the struct container
 * @err: an empty record is success
 */
void detach_report(struct detach *detach, pid_t container_pid, int exit_status,
		   const struct img_err *err);

#endif
