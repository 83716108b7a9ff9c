#include "runtime/kernelfs.h"

#include "base/cleanup.h"
#include "runtime/pty.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define PLAIN (MS_NOSUID | MS_NODEV | MS_NOEXEC)

/*
 * Makes sure of a directory of the root itself.  Nothing else runs in the
 * container yet, so what was a directory here is one when it is mounted on; a
 * symlink that an image has in its place is refused.
 */
static int need_dir(const char *path, struct img_err *err)
{
	struct stat st;

	if (lstat(path, &st) != 0) {
		if (errno != ENOENT || mkdir(path, 0755) != 0)
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

struct fs {
	const char *type, *target;
	unsigned long flags;
	const char *data;
};

static int mount_fs(const struct fs *fs, struct img_err *err)
{
	if (mount(fs->type, fs->target, fs->type, fs->flags, fs->data) != 0)
		return img_err_sys(err, "cannot mount %s at '%s'", fs->type,
				   fs->target);
	return 0;
}

static int bind_read_only(const char *path, struct img_err *err)
{
	img_auto(img_fd_release) int fd = -1;
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };

	fd = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0; /* this kernel was built without it */
	if (fd < 0 ||
	    mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) != 0 ||
	    move_mount(fd, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) != 0)
		return img_err_sys(err, "cannot make '%s' read-only", path);
	return 0;
}

int kernelfs_mount_proc(struct img_err *err)
{
	static const char *const guarded[] = { "/proc/sys",
					       "/proc/sysrq-trigger",
					       "/proc/irq", "/proc/bus",
					       "/proc/fs" };
	static const struct fs proc = { "proc", "/proc", PLAIN, NULL };
	int r;

	if ((r = need_dir("/proc", err)) < 0 || (r = mount_fs(&proc, err)) < 0)
		return r;
	for (size_t i = 0; i < IMG_COUNT(guarded); i++)
		if ((r = bind_read_only(guarded[i], err)) < 0)
			return r;
	return 0;
}

int kernelfs_mount_sys(struct img_err *err)
{
	static const struct fs sys = { "sysfs", "/sys", PLAIN | MS_RDONLY,
				       NULL };
	int r;

	if ((r = need_dir("/sys", err)) < 0 || (r = mount_fs(&sys, err)) < 0)
		return r;
	if (mount("cgroup", "/sys/fs/cgroup", "cgroup2", PLAIN | MS_RDONLY,
		  NULL) != 0 &&
	    errno != ENODEV && errno != ENOENT)
		return img_err_sys(err, "cannot mount cgroup2 at "
					"'/sys/fs/cgroup'");
	return 0;
}

static int make_nodes(struct img_err *err)
{
	static const struct {
		const char *path;
		unsigned int major, minor;
	} nodes[] = {
		{ "/dev/null", 1, 3 },	  { "/dev/zero", 1, 5 },
		{ "/dev/full", 1, 7 },	  { "/dev/random", 1, 8 },
		{ "/dev/urandom", 1, 9 }, { "/dev/tty", 5, 0 },
	};

	for (size_t i = 0; i < IMG_COUNT(nodes); i++)
		if (mknod(nodes[i].path, S_IFCHR | 0666,
			  makedev(nodes[i].major, nodes[i].minor)) != 0)
			return img_err_sys(err, "cannot make '%s'",
					   nodes[i].path);
	return 0;
}

static int make_links(struct img_err *err)
{
	static const struct {
		const char *path, *target;
	} links[] = {
		{ "/dev/fd", "/proc/self/fd" },
		{ "/dev/stdin", "/proc/self/fd/0" },
		{ "/dev/stdout", "/proc/self/fd/1" },
		{ "/dev/stderr", "/proc/self/fd/2" },
		{ "/dev/core", "/proc/kcore" },
		{ "/dev/ptmx", "pts/ptmx" },
	};

	for (size_t i = 0; i < IMG_COUNT(links); i++)
		if (symlink(links[i].target, links[i].path) != 0)
			return img_err_sys(err, "cannot make '%s'",
					   links[i].path);
	return 0;
}

static int mount_below_dev(int devpts, struct img_err *err)
{
	static const struct fs pts = { "devpts", "/dev/pts",
				       MS_NOSUID | MS_NOEXEC,
				       PTY_DEVPTS_OPTIONS };
	static const struct fs shm = { "tmpfs", "/dev/shm", PLAIN,
				       "mode=1777,size=64m" };
	static const struct fs mqueue = { "mqueue", "/dev/mqueue", PLAIN,
					  NULL };
	int r;

	if (mkdir("/dev/pts", 0755) != 0 || mkdir("/dev/shm", 01777) != 0 ||
	    mkdir("/dev/mqueue", 01777) != 0)
		return img_err_sys(err, "cannot make directories in '/dev'");
	if (devpts < 0)
		r = mount_fs(&pts, err);
	else
		r = pty_attach(devpts, "/dev/pts", err);
	if (r < 0 || (r = mount_fs(&shm, err)) < 0)
		return r;
	/* A kernel without POSIX message queues has nothing to offer here. */
	if (mount(mqueue.type, mqueue.target, mqueue.type, mqueue.flags,
		  NULL) != 0 &&
	    errno != ENODEV)
		return img_err_sys(err, "cannot mount mqueue at '/dev/mqueue'");
	return 0;
}

int kernelfs_mount_dev(int devpts, struct img_err *err)
{
	static const struct fs dev = { "tmpfs", "/dev", MS_NOSUID,
				       "mode=755,size=64m" };
	int r;

	if ((r = need_dir("/dev", err)) < 0 || (r = mount_fs(&dev, err)) < 0 ||
	    (r = make_nodes(err)) < 0 || (r = make_links(err)) < 0)
		return r;
	return mount_below_dev(devpts, err);
}

int kernelfs_mount_console(const char *terminal, struct img_err *err)
{
	if (mknod("/dev/console", S_IFREG | 0600, 0) != 0 ||
	    mount(terminal, "/dev/console", NULL, MS_BIND, NULL) != 0)
		return img_err_sys(err, "cannot make '/dev/console'");
	return 0;
}
