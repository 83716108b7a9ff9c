#ifndef IMG_RUNTIME_REAPER_REPORT_H
#define IMG_RUNTIME_REAPER_REPORT_H

/*
 * Between img and the program that is a container's first process with --init:
 *
 *	argv	"init" PROGRAM "--" COMMAND [ARGUMENT...]
 *	descriptor REAPER_REPORT_FD	a pipe's end
 *
 * PROGRAM is what COMMAND was found to be.  The pipe is closed without a word
 * once that was executed, or carries one report of why it could not be.  What
 * comes through it is said by a process of the container: to be used as three
 * numbers, and as nothing more.
 */
#include <stdint.h>

#define REAPER_REPORT_FD 4

/* In argv. */
enum { REAPER_PROGRAM = 1, REAPER_ARGV = 3 };

struct reaper_report {
	int32_t error;	      /* errno of execve, or of what went before it */
	uint8_t is_there;     /* the file, */
	uint8_t is_directory; /* which is one */
	uint8_t unused[2];
};

#endif
