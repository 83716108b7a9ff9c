#include "runtime/tmpfs.h"

#include "base/cleanup.h"

#include <stdint.h>
#include <string.h>
#include <sys/mount.h>

#define OPTION_MAX 64

#define ATTR_DEFAULT (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

static const struct flag {
	const char *name;
	unsigned int set, clear;
} flags[] = {
	{ "ro", MOUNT_ATTR_RDONLY, 0 },
	{ "rw", 0, MOUNT_ATTR_RDONLY },
	{ "exec", 0, MOUNT_ATTR_NOEXEC },
	{ "noexec", MOUNT_ATTR_NOEXEC, 0 },
	{ "suid", 0, MOUNT_ATTR_NOSUID },
	{ "nosuid", MOUNT_ATTR_NOSUID, 0 },
	{ "dev", 0, MOUNT_ATTR_NODEV },
	{ "nodev", MOUNT_ATTR_NODEV, 0 },
	{ "atime", 0, MOUNT_ATTR__ATIME },
	{ "relatime", 0, MOUNT_ATTR__ATIME },
	{ "noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME },
	{ "strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME },
	{ "nodiratime", MOUNT_ATTR_NODIRATIME, 0 },
	{ "diratime", 0, MOUNT_ATTR_NODIRATIME },
};

/* Those with a value, which the file system itself reads. */
static const char *const values[] = { "size", "mode",	   "uid",
				      "gid",  "nr_blocks", "nr_inodes" };

static bool apply_flag(const char *option, unsigned int *attr)
{
	for (size_t i = 0; i < IMG_COUNT(flags); i++)
		if (strcmp(option, flags[i].name) == 0) {
			*attr &= ~flags[i].clear;
			*attr |= flags[i].set;
			return true;
		}
	return false;
}

/* The part before "=", as one of those known, or NULL. */
static const char *known_value(const char *option)
{
	size_t len = strcspn(option, "=");

	for (size_t i = 0; option[len] && i < IMG_COUNT(values); i++)
		if (strlen(values[i]) == len &&
		    memcmp(option, values[i], len) == 0)
			return values[i];
	return NULL;
}

/* One option a call; @fs is -1 to look only. */
static int take(int fs, const char *option, unsigned int *attr,
		struct img_err *err)
{
	const char *key = known_value(option);

	if (!key && apply_flag(option, attr))
		return 0;
	if (!key)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "tmpfs: unknown option '%s'", option);
	if (fs >= 0 && fsconfig(fs, FSCONFIG_SET_STRING, key,
				option + strlen(key) + 1, 0) != 0)
		return img_err_set(err, IMG_E_INPUT, errno,
				   "tmpfs: cannot use the option '%s'", option);
	return 0;
}

static int each(int fs, const char *options, unsigned int *attr,
		struct img_err *err)
{
	char option[OPTION_MAX];

	while (options && *options) {
		size_t len = strcspn(options, ",");
		int r;

		if (len >= sizeof(option))
			return img_err_set(err, IMG_E_INPUT, 0,
					   "tmpfs: the option '%.*s' is longer "
					   "than %d bytes",
					   (int)len, options, OPTION_MAX - 1);
		memcpy(option, options, len);
		option[len] = '\0';
		r = len ? take(fs, option, attr, err) : 0;
		if (r < 0)
			return r;
		options += len + (options[len] == ',');
	}
	return 0;
}

int tmpfs_check(const char *options, struct img_err *err)
{
	unsigned int attr = 0;

	return each(-1, options, &attr, err);
}

int tmpfs_open(const char *options, bool nodes, int *ret, struct img_err *err)
{
	img_auto(img_fd_release) int fs = fsopen("tmpfs", FSOPEN_CLOEXEC);
	unsigned int attr = ATTR_DEFAULT;
	int fd, r;

	if (fs < 0)
		return img_err_sys(err, "cannot begin a mount of tmpfs");
	r = each(fs, options, &attr, err);
	if (r < 0)
		return r;
	if (!nodes)
		attr |= MOUNT_ATTR_NODEV;
	if (fsconfig(fs, FSCONFIG_SET_STRING, "source", "tmpfs", 0) != 0 ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) != 0)
		return img_err_sys(err, "cannot make a tmpfs");
	fd = fsmount(fs, FSMOUNT_CLOEXEC, attr);
	if (fd < 0)
		return img_err_sys(err, "cannot make a tmpfs");
	*ret = fd;
	return 0;
}
