#include "runtime/kernelfs.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

/* Nothing else runs in the container yet, so what was a directory here is one
 * when it is mounted on. */
int kernelfs_need_dir(const char *path, struct img_err *err)
{
	struct stat st;

	if (lstat(path + 1, &st) != 0) {
		if (errno != ENOENT || mkdir(path + 1, 0755) != 0)
			return img_err_sys(err, "cannot make directory '%s'",
					   path);
		return 0;
	}
	if (!S_ISDIR(st.st_mode))
		return img_err_set(err, IMG_E_INPUT, 0,
				   "'%s' of the image is not a directory",
				   path);
	return 0;
}

int kernelfs_mount(const struct kernelfs *fs, struct img_err *err)
{
	if (mount(fs->type, fs->target + 1, fs->type, fs->flags, fs->data) != 0)
		return img_err_sys(err, "cannot mount %s at '%s'", fs->type,
				   fs->target);
	return 0;
}

static int bind_read_only(const char *path, struct img_err *err)
{
	img_auto(img_fd_release) int fd = -1;
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };

	fd = open_tree(AT_FDCWD, path + 1, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0; /* this kernel was built without it */
	if (fd < 0 ||
	    mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) != 0 ||
	    move_mount(fd, "", AT_FDCWD, path + 1, MOVE_MOUNT_F_EMPTY_PATH) !=
		    0)
		return img_err_sys(err, "cannot make '%s' read-only", path);
	return 0;
}

int kernelfs_mount_proc(int made, bool of_host, struct img_err *err)
{
	static const struct kernelfs proc = { "proc", "/proc", KERNELFS_PLAIN,
					      NULL };
	int r = kernelfs_need_dir("/proc", err);

	if (r < 0)
		return r;
	if (made >= 0 && move_mount(made, "", AT_FDCWD, "proc",
				    MOVE_MOUNT_F_EMPTY_PATH) != 0)
		return img_err_sys(err, "cannot mount proc at '/proc'");
	if (of_host && made < 0 &&
	    mount("/proc", "proc", NULL, MS_BIND | MS_REC, NULL) != 0)
		return img_err_sys(err, "cannot show the host's '/proc'");
	if (made < 0 && !of_host)
		r = kernelfs_mount(&proc, err);
	return r < 0 && err->sys_errno == EPERM
		       ? img_err_hint(err, "; something hides parts of this "
					   "host's own /proc: '--userns host' "
					   "runs without a user namespace")
		       : r;
}

/* Nothing can be looked up behind it. */
static int hide(const char *path, struct img_err *err)
{
	const struct kernelfs empty = { "tmpfs", path,
					KERNELFS_PLAIN | MS_RDONLY,
					"size=0k,nr_inodes=1" };
	struct stat st;

	if (lstat(path + 1, &st) != 0)
		return errno == ENOENT /* this kernel was built without it */
			       ? 0
			       : img_err_sys(err, "cannot look at '%s'", path);
	if (S_ISDIR(st.st_mode))
		return kernelfs_mount(&empty, err);
	if (mount("dev/null", path + 1, NULL, MS_BIND, NULL) != 0)
		return img_err_sys(err, "cannot hide '%s'", path);
	return 0;
}

int kernelfs_guard(struct img_err *err)
{
	static const char *const read_only[] = { "/proc/sys",
						 "/proc/sysrq-trigger",
						 "/proc/irq", "/proc/bus",
						 "/proc/fs" };
	static const char *const hidden[] = {
		"/proc/acpi",	     "/proc/asound",
		"/proc/interrupts",  "/proc/kcore",
		"/proc/keys",	     "/proc/latency_stats",
		"/proc/sched_debug", "/proc/scsi",
		"/proc/timer_list",  "/proc/timer_stats",
		"/sys/firmware",     "/sys/devices/virtual/powercap",
	};
	int r;

	for (size_t i = 0; i < IMG_COUNT(read_only); i++)
		if ((r = bind_read_only(read_only[i], err)) < 0)
			return r;
	for (size_t i = 0; i < IMG_COUNT(hidden); i++)
		if ((r = hide(hidden[i], err)) < 0)
			return r;
	return 0;
}

/* @path: absolute, of the host; at the same place in the root. */
static int show_host(const char *path, struct img_err *err)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };

	if (mount(path, path + 1, NULL, MS_BIND | MS_REC, NULL) != 0 ||
	    mount_setattr(AT_FDCWD, path + 1, AT_RECURSIVE, &attr,
			  sizeof(attr)) != 0)
		return img_err_sys(err, "cannot show the host's '%s'", path);
	return 0;
}

static int mount_sysfs(unsigned long flags, struct img_err *err)
{
	if (mount("sysfs", "sys", "sysfs", flags, NULL) == 0)
		return 0;
	if (errno == EPERM)
		return show_host("/sys", err);
	return img_err_sys(err, "cannot mount sysfs at '/sys'");
}

int kernelfs_mount_sys(bool writable, struct img_err *err)
{
	const unsigned long flags = KERNELFS_PLAIN | (writable ? 0 : MS_RDONLY);
	int r;

	if ((r = kernelfs_need_dir("/sys", err)) < 0 ||
	    (r = mount_sysfs(flags, err)) < 0)
		return r;
	if (mount("cgroup", "sys/fs/cgroup", "cgroup2", flags, NULL) == 0)
		return 0;
	switch (errno) {
	case EPERM: /* a user namespace, and not its own view of cgroups */
		return show_host("/sys/fs/cgroup", err);
	case EBUSY: /* it came with the host's /sys, and is the same */
	case ENODEV:
	case ENOENT:
		return 0;
	default:
		return img_err_sys(err, "cannot mount cgroup2 at "
					"'/sys/fs/cgroup'");
	}
}
