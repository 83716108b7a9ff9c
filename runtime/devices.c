#include "runtime/devices.h"

#include "base/cleanup.h"
#include "runtime/kernelfs.h"
#include "runtime/pty.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static const struct node {
	const char *path;
	unsigned int major, minor;
} nodes[] = {
	{ "/dev/null", 1, 3 },	  { "/dev/zero", 1, 5 },
	{ "/dev/full", 1, 7 },	  { "/dev/random", 1, 8 },
	{ "/dev/urandom", 1, 9 }, { "/dev/tty", 5, 0 },
};

static int make_nodes(struct img_err *err)
{
	for (size_t i = 0; i < IMG_COUNT(nodes); i++)
		if (mknod(nodes[i].path + 1, S_IFCHR | 0666,
			  makedev(nodes[i].major, nodes[i].minor)) != 0)
			return img_err_sys(err, "cannot make '%s'",
					   nodes[i].path);
	return 0;
}

static int show_nodes(struct img_err *err)
{
	for (size_t i = 0; i < IMG_COUNT(nodes); i++) {
		const char *path = nodes[i].path;

		if (mknod(path + 1, S_IFREG | 0666, 0) != 0 ||
		    mount(path, path + 1, NULL, MS_BIND, NULL) != 0)
			return img_err_sys(err, "cannot show the host's '%s'",
					   path);
	}
	return 0;
}

/* Each node, as a mount of its own, over itself: it keeps working when /dev
 * no longer lets nodes work. */
static int pin_nodes(struct img_err *err)
{
	struct mount_attr nodev = { .attr_set = MOUNT_ATTR_NODEV };
	int fd[IMG_COUNT(nodes)];
	size_t n = 0;
	int r = 0;

	for (; n < IMG_COUNT(nodes) && r == 0; n++) {
		fd[n] = open_tree(AT_FDCWD, nodes[n].path + 1,
				  OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
		if (fd[n] < 0)
			r = img_err_sys(err, "cannot keep '%s'", nodes[n].path);
	}
	if (r == 0 &&
	    mount_setattr(AT_FDCWD, "dev", 0, &nodev, sizeof(nodev)) != 0)
		r = img_err_sys(err, "cannot guard '/dev'");
	for (size_t i = 0; i < n; i++) {
		if (r == 0 && move_mount(fd[i], "", AT_FDCWD, nodes[i].path + 1,
					 MOVE_MOUNT_F_EMPTY_PATH) != 0)
			r = img_err_sys(err, "cannot mount '%s'",
					nodes[i].path);
		img_fd_release(&fd[i]);
	}
	return r;
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
		if (symlink(links[i].target, links[i].path + 1) != 0)
			return img_err_sys(err, "cannot make '%s'",
					   links[i].path);
	return 0;
}

static int mount_shm(const struct devices_plan *plan, struct img_err *err)
{
	const struct kernelfs own = { "tmpfs", "/dev/shm", KERNELFS_PLAIN,
				      plan->shm_options
					      ? plan->shm_options
					      : "mode=1777,size=64m" };

	if (plan->no_shm)
		return 0;
	if (mkdir("dev/shm", 01777) != 0)
		return img_err_sys(err, "cannot make '/dev/shm'");
	if (plan->shm < 0 && !plan->ipc_of_host)
		return kernelfs_mount(&own, err);
	if (plan->shm >= 0
		    ? move_mount(plan->shm, "", AT_FDCWD, "dev/shm",
				 MOVE_MOUNT_F_EMPTY_PATH) != 0
		    : mount("/dev/shm", "dev/shm", NULL, MS_BIND, NULL) != 0)
		return img_err_sys(err, "cannot share '/dev/shm'");
	return 0;
}

/* A kernel without POSIX message queues has nothing to offer here, and to a
 * user namespace it does not show the host's. */
static int mount_mqueue(const struct devices_plan *plan, struct img_err *err)
{
	if (mkdir("dev/mqueue", 01777) != 0)
		return img_err_sys(err, "cannot make '/dev/mqueue'");
	if (mount("mqueue", "dev/mqueue", "mqueue", KERNELFS_PLAIN, NULL) !=
		    0 &&
	    errno != ENODEV && !(errno == EPERM && plan->ipc_of_host))
		return img_err_sys(err, "cannot mount mqueue at '/dev/mqueue'");
	return 0;
}

static int mount_below_dev(const struct devices_plan *plan, struct img_err *err)
{
	static const struct kernelfs pts = { "devpts", "/dev/pts",
					     MS_NOSUID | MS_NOEXEC,
					     PTY_DEVPTS_OPTIONS };
	int r;

	if (mkdir("dev/pts", 0755) != 0)
		return img_err_sys(err, "cannot make '/dev/pts'");
	if (plan->devpts < 0)
		r = kernelfs_mount(&pts, err);
	else
		r = pty_attach(plan->devpts, "dev/pts", err);
	if (r == 0)
		r = mount_shm(plan, err);
	return r < 0 ? r : mount_mqueue(plan, err);
}

static int put_nodes(enum device_source source, struct img_err *err)
{
	int r;

	if (source == DEVICES_OF_HOST)
		return show_nodes(err);
	r = make_nodes(err);
	return r == 0 && source == DEVICES_OWN ? pin_nodes(err) : r;
}

int devices_mount(const struct devices_plan *plan, struct img_err *err)
{
	static const struct kernelfs dev = { "tmpfs", "/dev", MS_NOSUID,
					     "mode=755,size=64m" };
	int r;

	if ((r = kernelfs_need_dir("/dev", err)) < 0 ||
	    (r = kernelfs_mount(&dev, err)) < 0 ||
	    (r = put_nodes(plan->source, err)) < 0 || (r = make_links(err)) < 0)
		return r;
	return mount_below_dev(plan, err);
}

int devices_mount_console(const char *terminal, struct img_err *err)
{
	if (mknod("/dev/console", S_IFREG | 0600, 0) != 0 ||
	    mount(terminal, "/dev/console", NULL, MS_BIND, NULL) != 0)
		return img_err_sys(err, "cannot make '/dev/console'");
	return 0;
}
