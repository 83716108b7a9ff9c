#include "storage/device.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "storage/loop.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

void device_release(struct device *device)
{
	img_fd_release(&device->fd);
}

int device_size(int fd, const char *path, uint64_t *ret_bytes,
		struct img_err *err)
{
	if (ioctl(fd, BLKGETSIZE64, ret_bytes) < 0)
		return img_err_sys(err, "cannot ask for the size of %s", path);
	return 0;
}

static int check_type(const char *path, struct stat *st, struct img_err *err)
{
	if (stat(path, st) < 0)
		return img_err_sys(err, "there is no device %s", path);
	if (!S_ISBLK(st->st_mode))
		return img_err_set(err, IMG_E_INPUT, 0, "%s is no block device",
				   path);
	return 0;
}

/* Where it is mounted, as far as this mount namespace knows; else NULL. */
static char *mount_point_of(dev_t dev)
{
	img_auto(img_stdio_release) FILE *f =
		fopen("/proc/self/mountinfo", "re");
	char line[4096], point[1024];
	unsigned major_number, minor_number;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%*u %*u %u:%u %*s %1023s", &major_number,
			   &minor_number, point) == 3 &&
		    makedev(major_number, minor_number) == dev)
			return mem_strdup(point);
	return NULL;
}

/* The device that was made of it ("dm-3", "md0"); else NULL. */
static char *holder_of(dev_t dev)
{
	img_auto(img_mem_release) char *path = mem_printf(
		"/sys/dev/block/%u:%u/holders", major(dev), minor(dev));
	img_auto(img_dir_release) DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			return mem_strdup(entry->d_name);
	return NULL;
}

static int in_use(const char *path, dev_t dev, struct img_err *err)
{
	img_auto(img_mem_release) char *point = mount_point_of(dev);
	img_auto(img_mem_release) char *holder = holder_of(dev);

	if (point)
		return img_err_set(err, IMG_E_BUSY, 0, "%s is mounted on %s",
				   path, point);
	if (holder)
		return img_err_set(err, IMG_E_BUSY, 0, "%s is used by %s", path,
				   holder);
	return img_err_set(err, IMG_E_BUSY, 0,
			   "%s is in use by another program or device", path);
}

int device_claim(const char *path, struct device *ret, struct img_err *err)
{
	img_auto(img_fd_release) int fd = -1;
	struct stat st;
	uint64_t size;
	int r = check_type(path, &st, err);

	if (r < 0)
		return r;
	fd = open(path, O_RDWR | O_EXCL | O_CLOEXEC);
	if (fd < 0 && errno == EBUSY)
		return in_use(path, st.st_rdev, err);
	if (fd < 0)
		return img_err_sys(err, "cannot open %s", path);
	r = device_size(fd, path, &size, err);
	if (r < 0)
		return r;
	*ret = (struct device){ img_fd_take(&fd), st.st_rdev, size };
	return 0;
}

int device_attach(const char *path, struct loop *ret, struct img_err *err)
{
	struct stat st;
	int r = check_type(path, &st, err);

	if (r < 0)
		return r;
	ret->fd = open(path, O_RDWR | O_CLOEXEC);
	if (ret->fd < 0)
		return img_err_sys(err, "cannot open %s", path);
	ret->dev = st.st_rdev;
	return 0;
}
