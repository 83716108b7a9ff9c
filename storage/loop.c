#include "storage/loop.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define LOOP_MAJOR 7
/* Each try loses only to a process that succeeded. */
#define ATTACH_TRIES 1000

static int open_number(int number, struct img_err *err)
{
	char path[32];
	int fd;

	(void)snprintf(path, sizeof(path), "/dev/loop%d", number);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) { /* no devtmpfs here */
		if (mknod(path, S_IFBLK | 0600,
			  makedev(LOOP_MAJOR, (unsigned)number)) < 0 &&
		    errno != EEXIST)
			return img_err_sys(err, "cannot make %s", path);
		fd = open(path, O_RDWR | O_CLOEXEC);
	}
	return fd < 0 ? img_err_sys(err, "cannot open %s", path) : fd;
}

/* 1 attached, 0 taken by another process, <0 failed. */
static int try_number(int number, int file, const char *path, struct loop *ret,
		      struct img_err *err)
{
	img_auto(img_fd_release) int fd = -1;
	struct loop_config config = {
		.fd = (__u32)file,
		.info.lo_flags = LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO,
	};
	struct stat st;
	int rc;

	fd = open_number(number, err);
	if (fd < 0)
		return fd;
	(void)snprintf((char *)config.info.lo_file_name,
		       sizeof(config.info.lo_file_name), "%s", path);
	rc = ioctl(fd, LOOP_CONFIGURE, &config);
	if (rc < 0 && errno == EINVAL) { /* no direct I/O on that one */
		config.info.lo_flags &= ~(__u32)LO_FLAGS_DIRECT_IO;
		rc = ioctl(fd, LOOP_CONFIGURE, &config);
	}
	if (rc < 0 && errno == EBUSY)
		return 0;
	if (rc < 0 || fstat(fd, &st) < 0)
		return img_err_sys(err, "cannot attach %s to a loop device",
				   path);
	ret->fd = img_fd_take(&fd);
	ret->dev = st.st_rdev;
	return 1;
}

int loop_attach(const char *path, struct loop *ret, struct img_err *err)
{
	img_auto(img_fd_release) int control = -1;
	img_auto(img_fd_release) int file = -1;
	int r = 0;

	file = open(path, O_RDWR | O_CLOEXEC);
	if (file < 0)
		return img_err_sys(err, "cannot open %s", path);
	control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	if (control < 0)
		return img_err_set(err, IMG_E_UNSUPPORTED, errno,
				   "cannot use loop devices");
	for (int try = 0; r == 0 && try < ATTACH_TRIES; try++) {
		int number = ioctl(control, LOOP_CTL_GET_FREE);

		if (number < 0)
			return img_err_sys(err, "cannot get a loop device");
		r = try_number(number, file, path, ret, err);
	}
	if (r == 0)
		return img_err_set(err, IMG_E_BUSY, 0,
				   "cannot attach %s: every free loop device "
				   "was taken by others",
				   path);
	return r < 0 ? r : 0;
}

int loop_detach(dev_t dev, struct img_err *err)
{
	img_auto(img_fd_release) int fd = open_number((int)minor(dev), err);

	if (fd < 0)
		return fd;
	if (ioctl(fd, LOOP_CLR_FD) < 0 && errno != ENXIO)
		return img_err_sys(err, "cannot detach /dev/loop%u",
				   minor(dev));
	return 0;
}

int loop_refresh(dev_t dev, struct img_err *err)
{
	img_auto(img_fd_release) int fd = open_number((int)minor(dev), err);

	if (fd < 0)
		return fd;
	if (ioctl(fd, LOOP_SET_CAPACITY, 0) < 0)
		return img_err_sys(err, "cannot make loop device %u larger",
				   minor(dev));
	return 0;
}

void loop_release(struct loop *loop)
{
	img_fd_release(&loop->fd);
}
