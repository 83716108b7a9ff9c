#ifndef IMG_RUNTIME_CONTAINER_H
#define IMG_RUNTIME_CONTAINER_H

/*
 * A container's life as its supervisor sees it: start, wait, the end.
 *
 * The supervisor is the process that calls container_start: the container is
 * its child and is killed when it dies.  It must have one thread only.  When
 * container_wait returns, every process of the container is gone and the
 * kernel has let go of the root device: it can be removed at once.
 */
#include "base/err.h"
#include "runtime/cgroup.h"
#include "runtime/spec.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

/* Something else that the supervisor looks after while it waits. */
struct container_watch {
	int fd; /* @fn is called whenever it is readable; -1 at first */
	/* When @fn is called for the first time; it may open @fd then.  Where
	 * it leaves that -1 it is not called again. */
	unsigned first_ms;
	void (*fn)(struct container_watch *watch);
	void *self; /* of @fn */
};

struct container {
	pid_t pid;
	int pidfd;
	int terminal; /* the supervisor's end of it, or -1 */
	bool interactive;
	/* To be set between start and wait; NULL: nothing.  Borrowed. */
	struct container_watch *watch;
	/* What `run` should exit with if container_start failed: 125 where
	 * img or the kernel failed, 126 where the command cannot be executed,
	 * 127 where it was not found. */
	int exit_status;
	sigset_t old_mask;
	struct cgroup cgroup; /* of a first process; gone after the wait */
	/* After the wait: processes that were killed for want of memory. */
	uint64_t oom_kills;
};

/**
 * container_start - make the namespaces and the root, and run the command
 * @spec: borrowed for the call
 * @ret: filled; ends with container_wait.  On failure only exit_status means
 *       something
 *
 * Returns once exec has succeeded in the child; then the signals that
 * container_wait forwards stay blocked, so that none is lost in between, and
 * SIGPIPE with them.  SIGCHLD has its default action from here on.
 * On failure the child's own error is returned and nothing is left: no
 * process, no mount, no hold on the device.  What was made in the root file
 * system itself (mount points, a working directory) remains there.
 *
 * If the supervisor is killed, in the middle or later, the container is too:
 * not in the same instant, so its device may stay busy for some milliseconds.
 * A command that changes its own credentials by a set-user-ID program as the
 * very first one escapes that (prctl(2), PR_SET_PDEATHSIG).
 *
 * Needs Linux 5.12 and CAP_SYS_ADMIN.
 */
int container_start(const struct container_spec *spec, struct container *ret,
		    struct img_err *err) IMG_MUST_USE;

/**
 * container_wait - carry signals and the terminal until the container ends
 * @ret_status: 0 to 255 as the command exited, 128+N if signal N killed it
 *
 * With a terminal, stdin (if interactive) and stdout are relayed; stdin is
 * raw meanwhile if it is a terminal, and restored in every case.  Without, the
 * container has the supervisor's stdio and this function leaves it alone.
 * HUP, INT, QUIT, TERM, USR1, USR2, ALRM, CONT and TSTP go to the container's
 * first process; WINCH changes the terminal's size.  As any first process of a
 * pid namespace that one only feels signals it has a handler for.
 *
 * Afterwards @container owns nothing and the signal mask is as it was before
 * container_start.  After a failure too the container is dead.
 */
int container_wait(struct container *container, int *ret_status,
		   struct img_err *err) IMG_MUST_USE;

/* 0 to 255 from si_code and si_status of waitid(2). */
int container_status(int code, int status);

#endif
