#ifndef IMG_MACHINE_KEEPER_H
#define IMG_MACHINE_KEEPER_H

/*
 * The keeper: a child process that starts linux.uml, outlives its parent if
 * need be, and sees to it that nothing is left.
 *
 * linux.uml is a handful of processes, some of which survive its death.  The
 * keeper is their subreaper; they are in a session of their own.  It ends the
 * machine when its parent lets go of a pipe, be it by dying, and removes the
 * private directory when all are gone.  Should the keeper itself be killed,
 * linux.uml dies with it, and the parent does the rest.
 */
#include "base/err.h"

#include <stdbool.h>
#include <sys/types.h>

struct keeper_options {
	char *const *argv, *const *env; /* of linux.uml */
	const char *dir;		/* removed at the end */
	int line_fd, memory_fd, state_fd, console_fd;
};

struct keeper {
	pid_t pid;     /* 0: none */
	pid_t machine; /* its process group; 0: nothing of it is left */
	char *dir;     /* its private directory */
	int life_fd;   /* closed: the machine ends */
};

/* Starts keeper and machine.  The caller keeps its descriptors, and must close
 * its copies of those in @options for the ends of pipes to be seen. */
int keeper_start(const struct keeper_options *options, struct keeper *ret,
		 struct img_err *err) IMG_MUST_USE;

/* Ends the machine at once. */
void keeper_kill(struct keeper *keeper);

/* True once the keeper is gone, and so the machine. */
bool keeper_is_gone(struct keeper *keeper);

/* Ends the machine at once, waits until it is gone, frees what is held. */
void keeper_release(struct keeper *keeper);

#endif
