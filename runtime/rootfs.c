#include "runtime/rootfs.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

/* EXT4_IOC_RESIZE_FS of the kernel's fs/ext4/ext4.h: the size in blocks. */
#define EXT4_RESIZE_FS _IOW('f', 16, uint64_t)

/*
 * What the kernel logged in a file system context, or "".  Each read gives
 * one line, "e text" for an error; the first says what began the trouble.
 */
static const char *kernel_words(int fs, char *buf, size_t size)
{
	ssize_t n;

	while ((n = read(fs, buf, size - 1)) > 0) {
		if (buf[n - 1] == '\n')
			n--;
		buf[n] = '\0';
		if (n > 2 && buf[0] == 'e')
			return buf + 2;
	}
	return "";
}

static int mount_failed(int fs, const char *device, struct img_err *err)
{
	enum img_code code;
	int saved = errno;
	char buf[160];
	const char *words = kernel_words(fs, buf, sizeof(buf));
	size_t len = strlen(device);

	/* "DEVICE: words" would name it twice. */
	if (strncmp(words, device, len) == 0 && words[len] == ':')
		words += len + 2;

	switch (saved) {
	case EINVAL: /* ext4's answer to a superblock that is none */
	case EUCLEAN:
	case EBADMSG:
		code = IMG_E_CORRUPT;
		break;
	case ENOENT:
	case ENXIO:
		code = IMG_E_NOT_FOUND;
		break;
	case EBUSY:
		code = IMG_E_BUSY;
		break;
	case ENODEV:
		code = IMG_E_UNSUPPORTED;
		break;
	default:
		code = IMG_E_SYS;
	}
	return img_err_set(err, code, saved, "cannot mount ext4 of %s%s%s",
			   device, *words ? ": " : "", words);
}

static int option_failed(int fs, const char *options, struct img_err *err)
{
	int saved = errno;
	char buf[160];
	const char *words = kernel_words(fs, buf, sizeof(buf));

	return img_err_set(err, IMG_E_INPUT, saved,
			   "cannot mount with the options '%s'%s%s", options,
			   *words ? ": " : "", words);
}

/* Hands "a,b=c" to the context, one option a call. */
static int set_options(int fs, const char *options)
{
	char text[64];

	while (options && *options) {
		size_t len = strcspn(options, ",");
		char *value;
		int r;

		if (len >= sizeof(text)) {
			errno = E2BIG;
			return -1;
		}
		memcpy(text, options, len);
		text[len] = '\0';
		value = strchr(text, '=');
		if (value)
			*value++ = '\0';
		r = fsconfig(fs,
			     value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG,
			     text, value, 0);
		if (r != 0)
			return -1;
		options += len + (options[len] == ',');
	}
	return 0;
}

int rootfs_mount(const char *device, const char *options, bool nodes, int *ret,
		 struct img_err *err)
{
	const unsigned int attr =
		MOUNT_ATTR_NOATIME | (nodes ? 0 : MOUNT_ATTR_NODEV);
	img_auto(img_fd_release) int fs = -1;
	int fd;

	fs = fsopen("ext4", FSOPEN_CLOEXEC);
	if (fs < 0 && errno == ENODEV)
		return img_err_set(err, IMG_E_UNSUPPORTED, 0,
				   "this kernel has no ext4");
	if (fs < 0)
		return img_err_sys(err, "cannot begin a mount of ext4");
	if (set_options(fs, options) != 0)
		return option_failed(fs, options, err);
	if (fsconfig(fs, FSCONFIG_SET_STRING, "source", device, 0) != 0 ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) != 0)
		return mount_failed(fs, device, err);
	fd = fsmount(fs, FSMOUNT_CLOEXEC, attr);
	if (fd < 0)
		return mount_failed(fs, device, err);
	*ret = fd;
	return 0;
}

int rootfs_grow(const char *device, uint64_t size_bytes, struct img_err *err)
{
	img_auto(img_fd_release) int mount_fd = -1;
	img_auto(img_fd_release) int fd = -1;
	struct statfs fs;
	uint64_t blocks;
	int r = rootfs_mount(device, NULL, false, &mount_fd, err);

	if (r < 0)
		return r;
	fd = openat(mount_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstatfs(fd, &fs) != 0)
		return img_err_sys(err, "cannot open the file system of %s",
				   device);
	blocks = size_bytes / (uint64_t)fs.f_bsize;
	if (ioctl(fd, EXT4_RESIZE_FS, &blocks) == 0)
		return 0;
	if (errno == EPERM) /* as ext4 says it of one with errors */
		return img_err_set(err, IMG_E_CORRUPT, errno,
				   "the file system of %s cannot grow before "
				   "e2fsck has repaired it",
				   device);
	return img_err_sys(err, "cannot grow the file system of %s", device);
}

int rootfs_attach(int mount_fd, struct img_err *err)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		return img_err_sys(err, "cannot make the mounts private");
	/* Over "/" first: pivot_root wants a mount below the old root, and
	 * "/" is the one directory that is always there. */
	if (move_mount(mount_fd, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) !=
	    0)
		return img_err_sys(err, "cannot attach the root file system");
	if (fchdir(mount_fd) != 0)
		return img_err_sys(err, "cannot enter the root file system");
	return 0;
}

int rootfs_enter(struct img_err *err)
{
	/* With "." twice the old root ends up mounted over the new one, so
	 * no directory has to be made for it (pivot_root(2), NOTES). */
	if (syscall(SYS_pivot_root, ".", ".") != 0)
		return img_err_sys(err, "cannot change the root file system");
	if (umount2(".", MNT_DETACH) != 0)
		return img_err_sys(err, "cannot leave the host's root");
	if (chdir("/") != 0)
		return img_err_sys(err, "cannot enter the new root");
	return 0;
}

int rootfs_seal(struct img_err *err)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };

	if (mount_setattr(AT_FDCWD, "/", 0, &attr, sizeof(attr)) != 0)
		return img_err_sys(err, "cannot make the root read-only");
	return 0;
}
