#include "runtime/pty.h"

#include "base/cleanup.h"
#include "runtime/inroot.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <termios.h>

void pty_release(struct pty *pty)
{
	img_fd_release(&pty->devpts);
	img_fd_release(&pty->master);
	img_fd_release(&pty->slave);
}

static int devpts_mount(const struct userns *owner)
{
	char gid[16];
	const char *const options[][2] = { { "ptmxmode", "0666" },
					   { "mode", "0620" },
					   { "gid", gid } };
	img_auto(img_fd_release) int fs = -1;

	(void)snprintf(gid, sizeof(gid), "%u", owner->gid_base + PTY_GROUP);

	/* Every mount is a new instance since Linux 4.7. */
	fs = fsopen("devpts", FSOPEN_CLOEXEC);
	if (fs < 0)
		return -1;
	for (size_t i = 0; i < IMG_COUNT(options); i++)
		if (fsconfig(fs, FSCONFIG_SET_STRING, options[i][0],
			     options[i][1], 0) != 0)
			return -1;
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) != 0)
		return -1;
	return fsmount(fs, FSMOUNT_CLOEXEC,
		       MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
}

/* pty->master is open: unlocks it and opens the other end. */
static int open_slave(struct pty *pty, const struct userns *owner,
		      struct img_err *err)
{
	int unlock = 0;

	if (pty->master < 0 || ioctl(pty->master, TIOCSPTLCK, &unlock) != 0)
		return img_err_sys(err, "cannot open a terminal");
	/* By descriptor: a name would have to be looked up somewhere. */
	pty->slave =
		ioctl(pty->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (pty->slave < 0)
		return img_err_sys(err, "cannot open the terminal's end");
	if (userns_is_own(owner) &&
	    fchown(pty->slave, owner->uid_base, (gid_t)-1) != 0)
		return img_err_sys(err, "cannot give the terminal away");
	return 0;
}

/* The instance is the host's: its directory too goes to the container. */
static int give_instance(int devpts, const struct userns *owner,
			 struct img_err *err)
{
	if (userns_is_own(owner) &&
	    (fchownat(devpts, "", owner->uid_base, owner->gid_base,
		      AT_EMPTY_PATH) != 0 ||
	     fchownat(devpts, "ptmx", owner->uid_base, owner->gid_base, 0) !=
		     0))
		return img_err_sys(err, "cannot give a devpts away");
	return 0;
}

int pty_open(const struct userns *owner, struct pty *ret, struct img_err *err)
{
	img_auto(pty_release) struct pty pty = PTY_EMPTY;
	int r;

	pty.devpts = devpts_mount(owner);
	if (pty.devpts < 0)
		return img_err_sys(err, "cannot mount a devpts");
	r = give_instance(pty.devpts, owner, err);
	if (r < 0)
		return r;
	pty.master = openat(pty.devpts, "ptmx",
			    O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	r = open_slave(&pty, owner, err);
	if (r < 0)
		return r;
	*ret = pty;
	pty = PTY_EMPTY;
	return 0;
}

int pty_open_in(int root, const struct userns *owner, struct pty *ret,
		struct img_err *err)
{
	img_auto(pty_release) struct pty pty = PTY_EMPTY;
	img_auto(img_fd_release) int dir = -1;
	struct statfs fs;
	int r;

	dir = inroot_open(root, "/dev/pts", O_RDONLY | O_DIRECTORY);
	if (dir < 0 || fstatfs(dir, &fs) != 0)
		return img_err_sys(err,
				   "cannot open the container's '/dev/pts'");
	if (fs.f_type != DEVPTS_SUPER_MAGIC)
		return img_err_set(err, IMG_E_UNSUPPORTED, 0,
				   "the container has no terminals: its "
				   "'/dev/pts' is something else");
	pty.master =
		openat(dir, "ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	r = open_slave(&pty, owner, err);
	if (r < 0)
		return r;
	*ret = pty;
	pty = PTY_EMPTY;
	return 0;
}

int pty_attach(int devpts, const char *target, struct img_err *err)
{
	if (move_mount(devpts, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH) !=
	    0)
		return img_err_sys(err, "cannot mount devpts at '%s'", target);
	return 0;
}

int pty_take_control(int slave, struct img_err *err)
{
	if (ioctl(slave, TIOCSCTTY, 0) != 0)
		return img_err_sys(err, "cannot take the terminal");
	for (int fd = 0; fd <= 2; fd++)
		if (dup2(slave, fd) < 0)
			return img_err_sys(err, "cannot use the terminal");
	return 0;
}
