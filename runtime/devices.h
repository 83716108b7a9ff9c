#ifndef IMG_RUNTIME_DEVICES_H
#define IMG_RUNTIME_DEVICES_H

/*
 * A container's /dev: null, zero, full, random, urandom, tty, pts, shm and
 * mqueue.
 *
 * A device node works only where this module put one.  The root file system,
 * volumes and /dev itself are mounted "nodev", so that mknod, which a
 * container may use, makes nodes that cannot be opened; each device of the list
 * is a mount of its own without that flag.  In a user namespace nobody can make
 * nodes, and the host's own are shown: they belong to nobody there.
 */
#include "base/err.h"

#include <stdbool.h>

enum device_source {
	DEVICES_OF_HOST, /* for a user namespace */
	DEVICES_OWN,
	DEVICES_ANY, /* own, and nodes that are made later work too */
};

/**
 * devices_mount - make /dev
 * @devpts: a detached devpts to use, or -1 to mount one here
 * @shm_options: of the tmpfs at /dev/shm; NULL: 64 MiB
 *
 * For the child, while its working directory is the container's root and its
 * root the host's.
 */
int devices_mount(int devpts, const char *shm_options,
		  enum device_source source, struct img_err *err) IMG_MUST_USE;

/* Puts a terminal, "/dev/pts/N", in the place of /dev/console.  For the child
 * once it has left the host's root. */
int devices_mount_console(const char *terminal,
			  struct img_err *err) IMG_MUST_USE;

#endif
