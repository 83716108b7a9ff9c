#ifndef IMG_RUNTIME_INIT_H
#define IMG_RUNTIME_INIT_H

/*
 * The child, from clone to exec.
 *
 * It runs in its new namespaces but in the supervisor's memory, which it
 * shares until exec (CLONE_VM): no page table is copied, and an error needs no
 * packing.  Of the two only one is ever at work: the child waits until the
 * supervisor has done what only the host's root can, and from then on the
 * supervisor sits in a read of the report pipe and touches nothing.
 */
#include "base/err.h"
#include "runtime/env.h"
#include "runtime/pty.h"
#include "runtime/reaper.h"
#include "runtime/spec.h"
#include "runtime/syscall_filter.h"

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

/* What the child is given; all of it stays the supervisor's. */
struct init_plan {
	const struct container_spec *spec;
	const char *hostname;
	int root_fd;		  /* from rootfs_mount */
	struct bind_tree *mounts; /* spec->n_mounts of them */
	const char *shm_options;  /* of the tmpfs at /dev/shm, or NULL */
	struct pty pty;		  /* empty without a terminal */
	struct env env;
	struct syscall_filter filter;
	struct reaper reaper; /* empty without spec->init */
	int report[2];	      /* pipe, both ends close on exec */
	uint32_t go;	      /* see init_let_go */
	/* Set just before exec: a child that vanished without a report and
	 * without this was killed on the way. */
	volatile bool at_exec;
};

/* What comes through the pipe when a step fails; nothing but the end of file
 * comes when exec has succeeded. */
struct init_report {
	struct img_err err;
	int exit_status; /* COMMAND_STATUS_... */
};
_Static_assert(sizeof(struct init_report) <= PIPE_BUF,
	       "one write, all or nothing");

/* The stack that init_main needs, in bytes, with room to spare. */
#define INIT_STACK_BYTES ((size_t)512 * 1024)

/* In the supervisor: lets the child begin.  Its last step before the read. */
void init_let_go(struct init_plan *plan);

/**
 * init_main - become the container's first process
 * @plan: struct init_plan
 *
 * For clone(2).  All signals must be blocked.  Returns only on failure, after
 * its report was written.
 */
int init_main(void *plan);

#endif
