#include "runtime/trim.h"

#include "base/cleanup.h"
#include "runtime/rootfs.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

int trim_device(const char *device, bool read_only, uint64_t *ret_bytes,
		struct img_err *err)
{
	struct fstrim_range range = { .len = UINT64_MAX };
	img_auto(img_fd_release) int mount_fd = -1;
	img_auto(img_fd_release) int fd = -1;
	int r = rootfs_mount(device, read_only ? "ro" : NULL, false, &mount_fd,
			     err);

	if (r < 0)
		return r;
	fd = openat(mount_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return img_err_sys(err, "cannot open the file system of %s",
				   device);
	if (ioctl(fd, FITRIM, &range) == 0) {
		*ret_bytes = range.len;
		return 0;
	}
	if (errno == EOPNOTSUPP)
		return img_err_set(err, IMG_E_UNSUPPORTED, 0,
				   "%s takes no discards", device);
	return img_err_sys(err, "cannot trim the file system of %s", device);
}
