#include "runtime/spaces.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "runtime/procdir.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

static unsigned int own(const struct space *space, unsigned int flag)
{
	return space->kind == SPACE_OWN ? flag : 0;
}

static unsigned int flags_but_pid(const struct spaces *s)
{
	return CLONE_NEWNS | own(&s->net, CLONE_NEWNET) |
	       own(&s->ipc, CLONE_NEWIPC) | own(&s->uts, CLONE_NEWUTS);
}

/* In another's user namespace all but the processes are made inside it, so
 * that they belong to it. */
unsigned int spaces_flags(const struct spaces *s, bool own_users)
{
	const unsigned int pid = own(&s->pid, CLONE_NEWPID);

	if (s->has_users)
		return pid;
	return pid | flags_but_pid(s) | (own_users ? CLONE_NEWUSER : 0);
}

static int join(int pidfd, unsigned int what, const char *name,
		struct img_err *err)
{
	if (setns(pidfd, (int)what) == 0)
		return 0;
	if (errno == ESRCH)
		return img_err_set(err, IMG_E_NOT_FOUND, 0,
				   "the container whose %s is to be shared "
				   "has ended",
				   name);
	return img_err_sys(err, "cannot share a container's %s", name);
}

int spaces_begin_clone(const struct spaces *s, int *ret, struct img_err *err)
{
	img_auto(img_fd_release) int saved = -1;
	int r;

	*ret = -1;
	if (s->pid.kind != SPACE_JOIN)
		return 0;
	saved = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
	if (saved < 0)
		return img_err_sys(err, "cannot open '/proc/self/ns/pid'");
	r = join(s->pid.pidfd, CLONE_NEWPID, "process namespace", err);
	if (r == 0)
		*ret = img_fd_take(&saved);
	return r;
}

void spaces_end_clone(int *saved)
{
	int why = errno;

	/* Back to where we are: cannot fail. */
	if (*saved >= 0)
		(void)setns(*saved, CLONE_NEWPID);
	img_fd_release(saved);
	errno = why;
}

/* Nothing that the other container could put in its way is followed. */
static int open_shm(int *ret, struct img_err *err)
{
	struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_NO_SYMLINKS,
	};
	img_auto(img_fd_release) int fd = -1;
	struct statfs fs;

	fd = (int)syscall(SYS_openat2, AT_FDCWD, "/dev/shm", &how, sizeof(how));
	if (fd < 0 || fstatfs(fd, &fs) != 0)
		return img_err_sys(err, "cannot share a container's /dev/shm");
	if (fs.f_type != TMPFS_MAGIC)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "cannot share a container's /dev/shm: it is "
				   "not in memory");
	*ret = open_tree(fd, "",
			 AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (*ret < 0)
		return img_err_sys(err, "cannot share a container's /dev/shm");
	return 0;
}

static int bring_shm(const struct spaces *s, int *ret, struct img_err *err)
{
	img_auto(img_fd_release) int own_ns = -1;
	int r;

	if (s->ipc.kind != SPACE_JOIN)
		return 0;
	own_ns = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	if (own_ns < 0)
		return img_err_sys(err, "cannot open '/proc/self/ns/mnt'");
	r = join(s->ipc.pidfd, CLONE_NEWNS, "/dev/shm", err);
	if (r < 0)
		return r;
	r = open_shm(ret, err);
	if (setns(own_ns, CLONE_NEWNS) != 0 && r == 0)
		r = img_err_sys(err, "cannot leave a container's mounts");
	return r;
}

/* While the process may: in a user namespace the kernel gives it only to who
 * owns the processes. */
static int bring_proc(const struct spaces *s, int *ret, struct img_err *err)
{
	img_auto(img_fd_release) int fs = -1;

	if (!s->has_users)
		return 0;
	fs = fsopen("proc", FSOPEN_CLOEXEC);
	if (fs < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) != 0 ||
	    (*ret = fsmount(fs, FSMOUNT_CLOEXEC,
			    MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
				    MOUNT_ATTR_NOEXEC)) < 0)
		return img_err_sys(err, "cannot make a /proc");
	return 0;
}

static int join_users(const struct spaces *s, struct img_err *err)
{
	int r;

	if (!s->has_users)
		return 0;
	r = join(s->users_pidfd, CLONE_NEWUSER, "user namespace", err);
	return r < 0 ? r : userns_become_root(err);
}

int spaces_enter(const struct spaces *s, struct spaces_brought *ret,
		 struct img_err *err)
{
	int r;

	if ((r = bring_shm(s, &ret->shm, err)) < 0 ||
	    (r = bring_proc(s, &ret->proc, err)) < 0 ||
	    (r = join_users(s, err)) < 0)
		return r;
	if (s->net.kind == SPACE_JOIN &&
	    (r = join(s->net.pidfd, CLONE_NEWNET, "network", err)) < 0)
		return r;
	if (s->ipc.kind == SPACE_JOIN &&
	    (r = join(s->ipc.pidfd, CLONE_NEWIPC, "IPC namespace", err)) < 0)
		return r;
	if (s->has_users && unshare((int)flags_but_pid(s)) != 0)
		return userns_failed(err);
	if (s->cgroup.kind == SPACE_OWN && unshare(CLONE_NEWCGROUP) != 0)
		return img_err_sys(err, "cannot make a cgroup namespace");
	return 0;
}

/* "0 BASE COUNT": where id 0 of that process lies. */
static int read_base(int proc, const char *name, uint32_t *ret,
		     struct img_err *err)
{
	img_auto(img_mem_release) char *text = NULL;
	unsigned int inside, base;
	int r = file_read_all(proc, name, 4096, &text, NULL, err);

	if (r == 0 && (sscanf(text, "%u %u", &inside, &base) != 2 || inside))
		r = img_err_set(err, IMG_E_UNSUPPORTED, 0,
				"the container's user ids cannot be read");
	if (r == 0)
		*ret = base;
	return r;
}

int spaces_users_of(int pidfd, struct userns *ret_ids, int *ret_ns,
		    struct img_err *err)
{
	img_auto(img_fd_release) int proc = -1;
	struct userns ids = { 0 };
	int r;

	if ((r = procdir_open(pidfd, &proc, err)) < 0 ||
	    (r = read_base(proc, "uid_map", &ids.uid_base, err)) < 0 ||
	    (r = read_base(proc, "gid_map", &ids.gid_base, err)) < 0)
		return r;
	if (ret_ns) {
		*ret_ns = openat(proc, "ns/user", O_RDONLY | O_CLOEXEC);
		if (*ret_ns < 0)
			return img_err_sys(err, "cannot open a user namespace");
	}
	*ret_ids = ids;
	return 0;
}
