#ifndef IMG_RUNTIME_PROCESS_H
#define IMG_RUNTIME_PROCESS_H

/*
 * Processes that someone else started: a container's first one, or its
 * monitor, known by number from a record.  Numbers are used again, so each
 * goes with the time that the process started; what does not match is another
 * process and is never touched.
 */
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct process {
	pid_t pid;
	uint64_t start_ticks; /* field 22 of /proc/PID/stat; after boot */
};

/**
 * process_identify - what to record about a running process
 * Returns 0, or -IMG_E_NOT_FOUND if it is gone or a zombie.
 */
int process_identify(pid_t pid, struct process *ret,
		     struct img_err *err) IMG_MUST_USE;

/* Whether that very process still runs; a zombie does not. */
bool process_is_alive(const struct process *process);

/**
 * process_kill - send a signal to that very process
 * Returns 0, or -IMG_E_NOT_FOUND if it is gone.
 */
int process_kill(const struct process *process, int sig,
		 struct img_err *err) IMG_MUST_USE;

/**
 * process_wait - wait until a process of another parent is gone
 * @timeout_ms: negative waits without end
 *
 * For a container's first process that means: the root device is free.
 * Returns 0, also for one long gone, or -IMG_E_BUSY when the time is over.
 */
int process_wait(const struct process *process, int timeout_ms,
		 struct img_err *err) IMG_MUST_USE;

/**
 * process_parse_stat - state and start time from a line of /proc/PID/stat
 *
 * The name in it may hold spaces and parentheses.  Source: proc(5).
 */
bool process_parse_stat(const char *line, char *ret_state,
			uint64_t *ret_start_ticks);

#endif
