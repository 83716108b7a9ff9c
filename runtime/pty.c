#include "runtime/pty.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <termios.h>

void pty_release(struct pty *pty)
{
	img_fd_release(&pty->devpts);
	img_fd_release(&pty->master);
	img_fd_release(&pty->slave);
}

static int devpts_mount(void)
{
	static const char *const options[][2] = { { "ptmxmode", "0666" },
						  { "mode", "0620" },
						  { "gid", "5" } };
	img_auto(img_fd_release) int fs = -1;

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

int pty_open(struct pty *ret, struct img_err *err)
{
	img_auto(pty_release) struct pty pty = PTY_EMPTY;
	int unlock = 0;

	pty.devpts = devpts_mount();
	if (pty.devpts < 0)
		return img_err_sys(err, "cannot mount a devpts");
	pty.master = openat(pty.devpts, "ptmx",
			    O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (pty.master < 0 || ioctl(pty.master, TIOCSPTLCK, &unlock) != 0)
		return img_err_sys(err, "cannot open a terminal");
	/* By descriptor: a name would have to be looked up somewhere. */
	pty.slave =
		ioctl(pty.master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (pty.slave < 0)
		return img_err_sys(err, "cannot open the terminal's end");
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
