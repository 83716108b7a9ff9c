#ifndef IMG_RUNTIME_ROOTFS_H
#define IMG_RUNTIME_ROOTFS_H

/*
 * The container's root file system, from block device to "/".
 *
 * The mount is made detached: it belongs to no mount namespace until the
 * child attaches it in its own, so the host's mount table never holds it, no
 * other process can inherit or copy it, and it is gone with the last process
 * of the container, or with the supervisor if that dies before.
 */
#include "base/err.h"

#include <stdint.h>

#include <stdbool.h>

/**
 * rootfs_mount - mount the ext4 file system of a device, detached
 * @device: a block device node; its journal is replayed if need be
 * @options: options of ext4, "a,b=c", or NULL
 * @nodes: device nodes in it work; else they cannot be opened
 * @ret: the mount; the caller closes it
 *
 * Access times are not kept: reading must not allocate blocks of a pool.
 * Fails with the kernel's own words where it has some to give;
 * -IMG_E_CORRUPT where the device does not hold a sound ext4.
 */
int rootfs_mount(const char *device, const char *options, bool nodes, int *ret,
		 struct img_err *err) IMG_MUST_USE;

/**
 * rootfs_grow - let the file system of a block device fill a size
 * @device: a block device node with ext4, at least @size_bytes large; it may
 *	be in use by a container
 *
 * The device is mounted a second time, detached: of one that is mounted already
 * the kernel takes the same file system.  So nothing of the container that may
 * run on it is entered or looked up, and nothing that it does to its
 * mounts, its root or its processes can lead this elsewhere.  The kernel has
 * written the new size to the device when this returns 0; one that it has
 * already is no failure.  A crash leaves a sound file system of some size
 * between the two.
 */
int rootfs_grow(const char *device, uint64_t size_bytes,
		struct img_err *err) IMG_MUST_USE;

/**
 * rootfs_attach - attach a detached mount in this mount namespace
 * @mount: from rootfs_mount
 *
 * For a process with a mount namespace of its own.  Nothing it mounts reaches
 * the host afterwards.  The working directory is the new root; "/" still leads
 * to the host's.
 */
int rootfs_attach(int mount, struct img_err *err) IMG_MUST_USE;

/* Makes the working directory, where rootfs_attach put it, the root of this
 * mount namespace.  Of the host's mounts none is left. */
int rootfs_enter(struct img_err *err) IMG_MUST_USE;

/* Makes the root read-only, for as long as the mount namespace lives; what is
 * mounted in it stays as it is. */
int rootfs_seal(struct img_err *err) IMG_MUST_USE;

#endif
