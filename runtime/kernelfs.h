#ifndef IMG_RUNTIME_KERNELFS_H
#define IMG_RUNTIME_KERNELFS_H

/*
 * The kernel's own file systems inside a container: /proc and /sys, with the
 * cgroup tree; /dev is runtime/devices.h.  All functions are for the child,
 * while its working directory is the container's root.
 *
 * In a user namespace the kernel gives a /proc and a /sys only to who sees them
 * whole already: they are mounted before the host's root is left.
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

/* Makes sure of a directory of the root itself, "/NAME"; a symlink that an
 * image has in its place is refused. */
int kernelfs_need_dir(const char *path, struct img_err *err) IMG_MUST_USE;
int kernelfs_mount(const struct kernelfs *fs, struct img_err *err) IMG_MUST_USE;

/* @proc: one that was made before, or -1; @of_host: show the host's own, to
 * a user namespace that could not mount it. */
int kernelfs_mount_proc(int proc, bool of_host,
			struct img_err *err) IMG_MUST_USE;

/**
 * kernelfs_mount_sys - mount /sys and /sys/fs/cgroup
 * @writable: else both are read-only
 *
 * A network of somebody else's has no /sys for a user namespace: there the
 * host's is shown, read-only.
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
