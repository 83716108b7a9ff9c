#include "storage/dm_block.h"

#include "base/cleanup.h"
#include "storage/device.h"
#include "storage/loop.h"
#include "storage/sysblock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define NODE_DIR "/dev/img"

/* The first interface that has DM_DEV_ARM_POLL. */
#define ARM_POLL_MINOR 37

/* The kernel says so in sysfs alone. */
int dm_block_holders(void *self, dev_t dev, unsigned *ret, struct img_err *err)
{
	img_auto(img_dir_release) DIR *dir = NULL;
	const struct dirent *entry;
	char path[64];

	(void)snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/holders",
		       major(dev), minor(dev));
	dir = opendir(path);
	if (!dir)
		return img_err_sys(err, "cannot read %s", path);
	*ret = 0;
	while ((entry = readdir(dir)))
		*ret += entry->d_name[0] != '.';
	return 0;
}

int dm_block_refresh(void *self, dev_t dev, struct img_err *err)
{
	return loop_refresh(dev, err);
}

/* libdevmapper keeps the descriptor it would arm to itself. */
int dm_block_listen(void *self, int *fd, struct img_err *err)
{
	struct dm_ioctl arm = {
		.version = { DM_VERSION_MAJOR, ARM_POLL_MINOR, 0 },
		.data_size = sizeof(arm),
	};

	if (*fd < 0)
		*fd = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
	if (*fd < 0)
		return img_err_sys(err, "cannot open /dev/mapper/control");
	if (ioctl(*fd, DM_DEV_ARM_POLL, &arm) < 0)
		return img_err_set(err, IMG_E_UNSUPPORTED, errno,
				   "cannot wait for events of device-mapper");
	return 0;
}

static bool node_is(const char *path, dev_t dev)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISBLK(st.st_mode) && st.st_rdev == dev;
}

int dm_block_node(void *self, const struct dm_name *name, dev_t dev,
		  char out[DM_NODE_MAX], struct img_err *err)
{
	(void)snprintf(out, DM_NODE_MAX, "/dev/dm-%u", minor(dev));
	if (node_is(out, dev))
		return 0;
	(void)snprintf(out, DM_NODE_MAX, NODE_DIR "/%u:%u", major(dev),
		       minor(dev));
	if (node_is(out, dev))
		return 0;
	if (mkdir(NODE_DIR, 0755) < 0 && errno != EEXIST)
		return img_err_sys(err, "cannot make " NODE_DIR);
	(void)unlink(out); /* of an older device, if any */
	if (mknod(out, S_IFBLK | 0600, dev) < 0 && !node_is(out, dev))
		return img_err_sys(err, "cannot make a node for %s",
				   name->name);
	return 0;
}

int dm_block_attach(void *self, const char *path, struct loop *ret,
		    struct img_err *err)
{
	struct stat st;

	if (stat(path, &st) == 0 && S_ISBLK(st.st_mode))
		return device_attach(path, ret, err);
	return loop_attach(path, ret, err);
}

int dm_block_each(void *self, dm_block_fn *fn, void *fn_self,
		  struct img_err *err)
{
	return sysblock_each(fn, fn_self, err);
}

int dm_block_detach(void *self, dev_t dev, struct img_err *err)
{
	return loop_detach(dev, err);
}
