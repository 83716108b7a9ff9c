#ifndef IMG_MACHINE_GUEST_COMMAND_H
#define IMG_MACHINE_GUEST_COMMAND_H

/*
 * The command itself: its environment, and the step from a forked child of
 * pid 1 to the program that the user asked for.
 */
#include "base/err.h"
#include "machine/job.h"

#include <stdbool.h>
#include <sys/types.h>

/**
 * guest_environment - the host's environment, and what the guest adds
 *
 * PATH begins with a directory in which img is this very program; IMG_ROOT is
 * the store on the state disk unless the host says otherwise; libdevmapper is
 * told that there is no udevd.  Lasts as long as the process and @job.
 */
char **guest_environment(const struct job *job) IMG_MUST_USE;

/**
 * guest_command_start - run the job's command in a session of its own
 * @streams: its three standard streams
 * @terminal: streams[0] is a terminal, to be its controlling one
 * @ret_pid: set once there is a process, also if it could not become the
 * command: it then ends by itself
 * @ret_status: set to 126 or 127 where the command could not be executed
 *
 * The environment is this process's own.
 */
int guest_command_start(const struct job *job, const int streams[3],
			bool terminal, pid_t *ret_pid, int *ret_status,
			struct img_err *err) IMG_MUST_USE;

#endif
