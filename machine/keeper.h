#ifndef IMG_MACHINE_KEEPER_H
#define IMG_MACHINE_KEEPER_H

/*
 * The keeper: a child process that starts linux.uml, outlives its parent if
 * need be, and sees to it that nothing is left.
 *
 * It makes a private directory, mode 0700, under $TMPDIR or /tmp: linux.uml
 * keeps its own files there, and finds pid 1 and what it preloads by links.
 *
 * linux.uml is a handful of processes, some of which survive its death.  The
 * keeper is their subreaper; they are in a session of their own.  It ends the
 * machine when its parent lets go of a pipe, be it by dying, and removes the
 * private directory when all are gone.  Should the keeper itself be killed,
 * linux.uml dies with it, and the parent does the rest.
 */
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct keeper_options {
	const char *kernel;  /* file of linux.uml */
	const char *program; /* file of img, to be pid 1 */
	const char *preload; /* to be preloaded into linux.uml */
	uint64_t mem_bytes;
	bool verbose;
	int line_fd, memory_fd, state_fd, console_fd;
};

#define KEEPER_DIR_MAX 96

struct keeper {
	pid_t pid;     /* 0: none */
	pid_t machine; /* its process group; 0: nothing of it is left */
	int life_fd;   /* closed: the machine ends */
	char dir[KEEPER_DIR_MAX]; /* its private directory */
};

/* Starts keeper and machine.  The caller keeps its descriptors, and must close
 * its copies of those in @options for the ends of pipes to be seen.  After a
 * failure nothing is left. */
int keeper_start(const struct keeper_options *options, struct keeper *ret,
		 struct img_err *err) IMG_MUST_USE;

/* Ends the machine at once. */
void keeper_kill(struct keeper *keeper);

/* True once the keeper is gone, and so the machine. */
bool keeper_is_gone(struct keeper *keeper);

/* Ends the machine at once and waits until it is gone. */
void keeper_release(struct keeper *keeper);

#endif
