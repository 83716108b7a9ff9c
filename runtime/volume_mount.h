#ifndef IMG_RUNTIME_VOLUME_MOUNT_H
#define IMG_RUNTIME_VOLUME_MOUNT_H

/*
 * A volume that a container has beside its root: its file system mounted, and
 * filled with what the image has at that place when it is used first.
 *
 * The mount is detached as the root's is: it belongs to no mount namespace
 * until the container's first process attaches it.  Several containers that
 * have a volume each mount its device: the kernel makes one file system of it.
 *
 * A volume that is being filled has a mark, an extended attribute that only
 * the host's root can set or see: where it is found the filling was
 * interrupted, nothing of the user's is there yet, and it begins anew.
 */
#include "base/err.h"

#include <stdbool.h>

/**
 * volume_mount_open - mount the ext4 of a volume's device, detached
 * @nodes: device nodes in it work
 * @ret: the mount; the caller closes it
 */
int volume_mount_open(const char *device, bool nodes, int *ret,
		      struct img_err *err) IMG_MUST_USE;

/* Lets nothing be written through this mount. */
int volume_mount_seal(int mount, struct img_err *err) IMG_MUST_USE;

/* 1 when a volume has nothing in it yet, or a part of what it was to be filled
 * with; 0 when it is a user's. */
int volume_mount_is_new(int mount, struct img_err *err);

/**
 * volume_mount_fill - copy what is in a directory into a new volume
 * @mount: of a volume that volume_mount_is_new; nobody else has it mounted
 * @root_device: the container's root file system, with @root_options for its
 *	mount
 * @path: in that; what is no directory, or not there, leaves the volume empty
 *
 * Owners, modes, times, extended attributes and hard links are kept, those of
 * the directory become the volume's.  All of it is on the disk when this
 * returns 0.  After a failure or a crash the volume is still new.
 */
int volume_mount_fill(int mount, const char *root_device,
		      const char *root_options, const char *path,
		      struct img_err *err) IMG_MUST_USE;

/* Takes away what an interrupted filling left, for who wants it empty. */
int volume_mount_clear(int mount, struct img_err *err) IMG_MUST_USE;

#endif
