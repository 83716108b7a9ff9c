#include "runtime/look.h"

#include "base/cleanup.h"
#include "runtime/rootfs.h"

#include <fcntl.h>
#include <sys/mount.h>

int look_open(const char *device, int *ret, struct img_err *err)
{
	struct mount_attr attr = {
		.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
			    MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
	};
	img_auto(img_fd_release) int mount_fd = -1;
	int r = rootfs_mount(device, "ro", false, &mount_fd, err);

	if (r < 0)
		return r;
	if (mount_setattr(mount_fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return img_err_sys(err, "cannot tame the mount of %s", device);
	*ret = img_fd_take(&mount_fd);
	return 0;
}

int look_mount(const char *device, const char *place, struct img_err *err)
{
	img_auto(img_fd_release) int mount_fd = -1;
	img_auto(img_fd_release) int dir = -1;
	int r;

	dir = open(place, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return img_err_sys(err, "cannot mount on %s", place);
	r = look_open(device, &mount_fd, err);
	if (r < 0)
		return r;
	if (move_mount(mount_fd, "", dir, "",
		       MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return img_err_sys(err, "cannot mount on %s", place);
	return 0;
}
