#ifndef IMG_RUNTIME_PTY_H
#define IMG_RUNTIME_PTY_H

/*
 * The container's terminal: a pair of its own devpts instance.
 *
 * The supervisor makes the instance as a detached mount and opens the pair in
 * it; the child attaches that mount as /dev/pts and takes the other end as
 * its controlling terminal.  So the terminal has a name inside, /dev/pts/0,
 * and the host's devpts knows nothing of it.
 */
#include "base/err.h"
#include "runtime/userns.h"

#include <sys/types.h>

/* Group 5 is tty wherever the distributions number it. */
#define PTY_DEVPTS_OPTIONS "newinstance,ptmxmode=0666,mode=0620,gid=5"
#define PTY_GROUP	   5u

struct pty {
	int devpts; /* the detached mount */
	int master; /* the supervisor's end */
	int slave;  /* the container's end */
};

#define PTY_EMPTY ((struct pty){ .devpts = -1, .master = -1, .slave = -1 })

/**
 * pty_open - make a devpts instance and a terminal in it
 * @owner: the container's ids: its root owns them
 * @ret: release with pty_release; all descriptors close on exec
 */
int pty_open(const struct userns *owner, struct pty *ret,
	     struct img_err *err) IMG_MUST_USE;

/**
 * pty_open_in - open a terminal of a container that runs
 * @root: its root directory
 *
 * What stands at /dev/pts is used only if it is a devpts.
 */
int pty_open_in(int root, const struct userns *owner, struct pty *ret,
		struct img_err *err) IMG_MUST_USE;

/* Closes what is open; keeps errno. */
void pty_release(struct pty *pty);

/* In the child: mounts a detached devpts at a directory. */
int pty_attach(int devpts, const char *target,
	       struct img_err *err) IMG_MUST_USE;

/**
 * pty_take_control - make @slave the controlling terminal and stdin to stderr
 *
 * For a session leader without a terminal, as after setsid(2).
 */
int pty_take_control(int slave, struct img_err *err) IMG_MUST_USE;

#endif
