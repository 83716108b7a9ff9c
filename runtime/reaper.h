#ifndef IMG_RUNTIME_REAPER_H
#define IMG_RUNTIME_REAPER_H

/*
 * --init: a first process that passes signals on and reaps, with the command
 * as its child.
 *
 * It is a program of its own (runtime/reaper/), kept in this one as bytes, and
 * for each start copied into a file in memory that is sealed before anybody
 * can see it.  It is executed as the command would be, with the container's
 * user, capabilities and system call filter: /proc/1/exe leads to those bytes,
 * which nobody can change and nobody else uses.
 *
 * Why img does not stay as the first process itself: /proc/1/exe would be
 * img's own program, which is what CVE-2019-5736 was about, its memory a copy
 * of the supervisor's with all that the store has in it, and each container
 * would hold hundreds of kilobytes instead of eight.
 */
#include "base/err.h"

#include <stddef.h>

struct reaper {
	int program;   /* to be executed, read-only */
	char **argv;   /* room for what it is told */
	int report[2]; /* pipe, both ends close on exec */
};
#define REAPER_EMPTY ((struct reaper){ .program = -1, .report = { -1, -1 } })

/**
 * reaper_prepare - in the supervisor: make the file and the pipe
 * @argv: the command; borrowed as long as @ret is used
 * @ret: end it by reaper_release
 *
 * IMG_E_UNSUPPORTED where the host forbids programs in memory.
 */
int reaper_prepare(char *const *argv, struct reaper *ret,
		   struct img_err *err) IMG_MUST_USE;
void reaper_release(struct reaper *reaper);

/* Where reaper_exec expects the descriptors; the first one must stay open on
 * exec, the other one not. */
#define REAPER_PROGRAM_FD 5

/**
 * reaper_exec - in the child: become the first process
 * @path: value of PATH in the new environment, or NULL: the command is
 *	searched here already
 *
 * Returns only on failure.
 */
int reaper_exec(const struct reaper *reaper, char *const *env, const char *path,
		int *ret_status, struct img_err *err);

/**
 * reaper_await - in the supervisor, once reaper_exec has succeeded: until the
 *	command is executed
 *
 * 0, or the error and exit status that command_exec would have had.
 */
int reaper_await(struct reaper *reaper, int *ret_status,
		 struct img_err *err) IMG_MUST_USE;

#endif
