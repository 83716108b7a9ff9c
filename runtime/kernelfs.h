#ifndef IMG_RUNTIME_KERNELFS_H
#define IMG_RUNTIME_KERNELFS_H

/*
 * The kernel's own file systems inside a container: /proc and /sys, with the
 * cgroup tree; /dev is runtime/devices.h.  All functions are for the child,
 * after the root was entered; "/" is the container's.
 */
#include "base/err.h"

#include <stdbool.h>
#include <sys/mount.h>

#define KERNELFS_PLAIN (MS_NOSUID | MS_NODEV | MS_NOEXEC)

struct kernelfs {
	const char *type, *target;
	unsigned long flags;
	const char *data;
};

/* Makes sure of a directory of the root itself; a symlink that an image has in
 * its place is refused. */
int kernelfs_need_dir(const char *path, struct img_err *err) IMG_MUST_USE;
int kernelfs_mount(const struct kernelfs *fs, struct img_err *err) IMG_MUST_USE;

int kernelfs_mount_proc(struct img_err *err) IMG_MUST_USE;

/**
 * kernelfs_mount_sys - mount /sys and /sys/fs/cgroup
 * @writable: else both are read-only
 *
 * A host without cgroup v2 leaves /sys/fs/cgroup empty.
 */
int kernelfs_mount_sys(bool writable, struct img_err *err) IMG_MUST_USE;

/**
 * kernelfs_guard - take from /proc and /sys what would reach the host
 *
 * After /dev was mounted.  What changes the host is read-only: /proc/sys,
 * sysrq-trigger, irq, bus and fs.  What tells of it is hidden: memory, keys,
 * timers, hardware; the lists are docker's.
 */
int kernelfs_guard(struct img_err *err) IMG_MUST_USE;

#endif
