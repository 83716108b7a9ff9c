#ifndef IMG_RUNTIME_HANDOVER_H
#define IMG_RUNTIME_HANDOVER_H

/*
 * The last steps before a command is in charge, whether it is a container's
 * first one or joins those that run: its standard streams, no other
 * descriptor, its user, its restrictions, exec.
 *
 * All of it for the child, which stands in the container's root already.
 */
#include "base/err.h"
#include "runtime/env.h"
#include "runtime/reaper.h"
#include "runtime/spec.h"
#include "runtime/syscall_filter.h"

struct handover {
	const struct container_spec *spec;
	const struct syscall_filter *filter;
	struct env *env;
	const struct reaper *reaper; /* the command's parent, or NULL */
	int terminal;		     /* the command's end, where spec->tty */
	bool joins; /* those that run: nothing is made for it */
	/* Set just before exec: a child that vanished without a report and
	 * without this was killed on the way. */
	volatile bool *at_exec;
};

/* From here on the supervisor's death is this process's. */
int handover_follow(int report_fd, struct img_err *err) IMG_MUST_USE;

/* A terminal of its own, or what the supervisor has; stdin only if asked. */
int handover_stdio(const struct handover *h, struct img_err *err) IMG_MUST_USE;

/* Closes everything but stdio, the report pipe, which becomes descriptor 3,
 * and what a reaper needs. */
int handover_descriptors(const struct handover *h, int *report_fd,
			 struct img_err *err) IMG_MUST_USE;

/**
 * handover_exec - become the user and run the command
 * @ret_status: COMMAND_STATUS_... where it fails
 *
 * Returns only on failure.
 */
int handover_exec(const struct handover *h, int report_fd, int *ret_status,
		  struct img_err *err);

#endif
