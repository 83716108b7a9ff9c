#ifndef IMG_RUNTIME_MONITOR_H
#define IMG_RUNTIME_MONITOR_H

/*
 * The supervisor of a container in the background: it keeps the other ends of
 * the container's streams, writes its log, and lets others attach.
 *
 * The container has pipes, or a terminal of its own: nothing of the host's can
 * be reached through its standard streams.
 *
 *	monitor_open(&options, &monitor, err);	pipes take the place of stdio
 *	container_start(spec, &container, err);	and the container gets them
 *	monitor_wait(monitor, &container, &status, err);
 */
#include "runtime/container.h"
#include "runtime/log.h"

struct monitor;

struct monitor_options {
	const char *log_path; /* NULL: no log is kept */
	struct log_limits limits;
	const char *socket_path; /* where others attach */
	bool tty, interactive;
	/* Standard input ends with the first who is attached and ends his. */
	bool stdin_once;
	int client; /* who is attached from the beginning, or -1; taken over */
};

/**
 * monitor_open - make the streams of a container that is to be started
 *
 * On success stdin, stdout and stderr are the container's until
 * detach_streams, which is to be called right after container_start, however
 * that went; where it has a terminal they stay what they were until then, so
 * that the terminal gets the size of the user's.
 */
int monitor_open(const struct monitor_options *options, struct monitor **ret,
		 struct img_err *err) IMG_MUST_USE;

/**
 * monitor_wait - container_wait, with all that this module is for
 *
 * Afterwards the log is complete, and who is attached knows the status.
 */
int monitor_wait(struct monitor *monitor, struct container *container,
		 int *ret_status, struct img_err *err) IMG_MUST_USE;

/* Frees all but the sockets of who is attached: those close when this process
 * ends, which tells them that all is settled. */
void monitor_close(struct monitor **monitor);

#endif
