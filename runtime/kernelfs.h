#ifndef IMG_RUNTIME_KERNELFS_H
#define IMG_RUNTIME_KERNELFS_H

/*
 * The kernel's own file systems inside a container: /proc, /sys with the
 * cgroup tree, and /dev.  All functions are for the child, after the root was
 * entered; "/" is the container's.
 */
#include "base/err.h"

/**
 * kernelfs_mount_proc - mount /proc, with what changes the host read-only
 *
 * /proc/sys, /proc/sysrq-trigger, /proc/irq, /proc/bus and /proc/fs are
 * read-only, as docker has them.
 */
int kernelfs_mount_proc(struct img_err *err) IMG_MUST_USE;

/**
 * kernelfs_mount_sys - mount /sys and /sys/fs/cgroup, both read-only
 *
 * A host without cgroup v2 leaves /sys/fs/cgroup empty.
 */
int kernelfs_mount_sys(struct img_err *err) IMG_MUST_USE;

/**
 * kernelfs_mount_dev - make a small /dev with pts, shm and mqueue
 * @devpts: a detached devpts to use, or -1 to mount one here
 */
int kernelfs_mount_dev(int devpts, struct img_err *err) IMG_MUST_USE;

/* Puts a terminal, "/dev/pts/N", in the place of /dev/console. */
int kernelfs_mount_console(const char *terminal,
			   struct img_err *err) IMG_MUST_USE;

#endif
