#ifndef IMG_MACHINE_SETUP_H
#define IMG_MACHINE_SETUP_H

/*
 * All that a machine needs on the host before it can boot: found, checked,
 * opened, and let go of together.
 */
#include "base/err.h"
#include "base/str.h"
#include "machine/machine.h"
#include "machine/terminal.h"

struct setup {
	const struct machine_options *options;
	uint64_t mem_bytes;
	char *program;	   /* file of img */
	char *kernel;	   /* file of linux.uml */
	char *preload;	   /* what is preloaded into it */
	char **shares;	   /* absolute, NULL-terminated */
	char *state;	   /* the state disk, absolute */
	struct str job;	   /* encoded */
	int state_fd;	   /* locked */
	int line_fd[2];	   /* serial line: host's end, machine's end */
	int console_fd[2]; /* host's reading end, machine's writing end */
};

#define SETUP_EMPTY(machine_options)                                           \
	{                                                                      \
		.options = (machine_options), .state_fd = -1,                  \
		.line_fd = { -1, -1 }, .console_fd = { -1, -1 },               \
	}

/**
 * setup_make - fill an empty setup
 * @argv: the command, NULL-terminated
 * @terminal: says which streams are to be a terminal
 *
 * After a failure nothing is left but for a state disk that was newly made.
 */
int setup_make(struct setup *setup, char **argv,
	       const struct terminal *terminal,
	       struct img_err *err) IMG_MUST_USE;

/* Closes what is open, frees what is held. */
void setup_release(struct setup *setup);

#endif
