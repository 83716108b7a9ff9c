#ifndef IMG_RUNTIME_LOOK_H
#define IMG_RUNTIME_LOOK_H

/*
 * A file system mounted for people to look at: in the mount namespace of the
 * caller, read-only, and so that nothing in it can act: no devices, no set-id
 * bits, no programs.
 *
 * The one place where a file system of the store is mounted outside of a
 * container.
 */
#include "base/err.h"

/**
 * look_mount - mount the ext4 file system of a device on a directory
 * @device: a block device node; where it may be written, its journal is
 *	replayed first
 * @place: an existing directory
 *
 * Errors as rootfs_mount; EROFS where the journal would have to be replayed
 * and the device refuses it.
 */
int look_mount(const char *device, const char *place,
	       struct img_err *err) IMG_MUST_USE;

/* The same, mounted nowhere: @ret is its root, and all that holds it.  What
 * the kernel does at a mount is done. */
int look_open(const char *device, int *ret, struct img_err *err) IMG_MUST_USE;

#endif
