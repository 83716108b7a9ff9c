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

struct devices_plan {
	int devpts; /* a detached devpts to use, or -1: one is mounted here */
	enum device_source source;
	const char *shm_options; /* of the tmpfs at /dev/shm; NULL: 64 MiB */
	int shm;		 /* a detached /dev/shm to use, or -1 */
	bool no_shm;		 /* there is none */
	bool ipc_of_host;	 /* /dev/shm and /dev/mqueue are the host's */
};

/* For the child, while its working directory is the container's root and its
 * root the host's. */
int devices_mount(const struct devices_plan *plan,
		  struct img_err *err) IMG_MUST_USE;

/* Puts a terminal, "/dev/pts/N", in the place of /dev/console.  For the child
 * once it has left the host's root. */
int devices_mount_console(const char *terminal,
			  struct img_err *err) IMG_MUST_USE;

#endif
