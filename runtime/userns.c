#include "runtime/userns.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>

/* The kernel takes a map in one write. */
static int write_map(int proc, const char *name, uint32_t base,
		     struct img_err *err)
{
	img_auto(img_fd_release) int fd = -1;
	char map[48];
	int len = snprintf(map, sizeof(map), "0 %u %u\n", base, USERNS_IDS);

	fd = openat(proc, name, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, map, (size_t)len) != len)
		return img_err_sys(err, "cannot map the container's ids to %u",
				   base);
	return 0;
}

int userns_map(pid_t pid, const struct userns *ns, int *ret,
	       struct img_err *err)
{
	img_auto(img_fd_release) int proc = -1;
	char path[32];
	int r;

	(void)snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (proc < 0)
		return img_err_sys(err, "cannot find the container's first "
					"process in /proc");
	if ((r = write_map(proc, "uid_map", ns->uid_base, err)) < 0 ||
	    (r = write_map(proc, "gid_map", ns->gid_base, err)) < 0)
		return r;
	*ret = openat(proc, "ns/user", O_RDONLY | O_CLOEXEC);
	if (*ret < 0)
		return img_err_sys(err, "cannot open a user namespace");
	return 0;
}

int userns_map_mount(int mount_fd, int ns, bool recursive)
{
	struct mount_attr attr = {
		.attr_set = MOUNT_ATTR_IDMAP,
		.userns_fd = (uint64_t)ns,
	};

	if (mount_setattr(mount_fd, "",
			  AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr,
			  sizeof(attr)) != 0)
		return -errno;
	return 0;
}

/* By bare system calls, as in runtime/user.c. */
int userns_become_root(struct img_err *err)
{
	if (syscall(SYS_setgroups, 0, NULL) != 0 ||
	    syscall(SYS_setresgid, 0, 0, 0) != 0 ||
	    syscall(SYS_setresuid, 0, 0, 0) != 0)
		return img_err_sys(err, "cannot become the container's root");
	return 0;
}

int userns_failed(struct img_err *err)
{
	static const char hint[] = "'--userns host' runs without";

	switch (errno) {
	case EINVAL:
	case ENOSYS:
		return img_err_set(err, IMG_E_UNSUPPORTED, 0,
				   "this kernel has no user namespaces; %s",
				   hint);
	case ENOSPC:
	case EUSERS:
		return img_err_set(err, IMG_E_UNSUPPORTED, 0,
				   "the kernel makes no more namespaces, see "
				   "/proc/sys/user; %s",
				   hint);
	case EPERM:
		return img_err_set(err, IMG_E_UNSUPPORTED, 0,
				   "this host refuses user namespaces; %s",
				   hint);
	default:
		return img_err_sys(err, "cannot make the namespaces");
	}
}
