#ifndef IMG_RUNTIME_DEVICES_H
#define IMG_RUNTIME_DEVICES_H

/*
 * A container's /dev: null, zero, full, random, urandom, tty, pts, shm and
 * mqueue.
 *
 * A device node works only where this module put one.  The root file system,
 * volumes and /dev itself are mounted "nodev", so that mknod, which a
 * container may use, makes nodes that cannot be opened; each device of the list
 * is a mount of its own without that flag.  For the child, after the root was
 * entered.
 */
#include "base/err.h"

#include <stdbool.h>

/**
 * devices_mount - make /dev
 * @devpts: a detached devpts to use, or -1 to mount one here
 * @any: nodes that are made later work too
 */
int devices_mount(int devpts, bool any, struct img_err *err) IMG_MUST_USE;

/* Puts a terminal, "/dev/pts/N", in the place of /dev/console. */
int devices_mount_console(const char *terminal,
			  struct img_err *err) IMG_MUST_USE;

#endif
