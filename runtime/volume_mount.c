#include "runtime/volume_mount.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "runtime/inroot.h"
#include "runtime/rootfs.h"
#include "runtime/tree_copy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/xattr.h>

#define MARK "trusted.img.filling"

int volume_mount_open(const char *device, bool nodes, int *ret,
		      struct img_err *err)
{
	return rootfs_mount(device, NULL, nodes, ret, err);
}

int volume_mount_seal(int mount_fd, struct img_err *err)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };

	if (mount_setattr(mount_fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) !=
	    0)
		return img_err_sys(err, "cannot make a volume read-only");
	return 0;
}

static int open_top(int mount_fd, int *ret, struct img_err *err)
{
	*ret = openat(mount_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*ret < 0)
		return img_err_sys(err, "cannot open a volume");
	return 0;
}

static bool is_marked(int top)
{
	return fgetxattr(top, MARK, NULL, 0) >= 0;
}

/* lost+found is of the file system's, where others made it. */
static bool is_content(const char *name)
{
	return strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
	       strcmp(name, "lost+found") != 0;
}

static int is_empty(int top, struct img_err *err)
{
	img_auto(img_dir_release) DIR *dir = NULL;
	int fd = openat(top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct dirent *entry;

	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return img_err_sys(err, "cannot read a volume");
	while ((entry = readdir(dir)) != NULL)
		if (is_content(entry->d_name))
			return 0;
	return 1;
}

int volume_mount_is_new(int mount_fd, struct img_err *err)
{
	img_auto(img_fd_release) int top = -1;
	int r = open_top(mount_fd, &top, err);

	if (r == 0)
		r = is_marked(top) ? 1 : is_empty(top, err);
	return r;
}

static int remove_content(int top, struct img_err *err)
{
	img_auto(img_dir_release) DIR *dir = NULL;
	int fd = openat(top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct dirent *entry;
	int r = 0;

	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return img_err_sys(err, "cannot read a volume");
	while (r == 0 && (entry = readdir(dir)) != NULL)
		if (is_content(entry->d_name))
			r = file_remove_tree(top, entry->d_name, err);
	return r;
}

/* The mark is on the disk before anything else is, and goes after all else. */
static int set_mark(int top, struct img_err *err)
{
	if (fsetxattr(top, MARK, "1", 1, 0) != 0 || fsync(top) != 0)
		return img_err_sys(err, "cannot mark a new volume");
	return 0;
}

static int drop_mark(int top, struct img_err *err)
{
	if (syncfs(top) != 0 || fremovexattr(top, MARK) != 0 || fsync(top) != 0)
		return img_err_sys(err, "cannot sync a new volume");
	return 0;
}

int volume_mount_clear(int mount_fd, struct img_err *err)
{
	img_auto(img_fd_release) int top = -1;
	int r = open_top(mount_fd, &top, err);

	if (r < 0 || !is_marked(top))
		return r;
	r = remove_content(top, err);
	return r < 0 ? r : drop_mark(top, err);
}

int volume_mount_fill(int mount_fd, const char *root_device,
		      const char *root_options, const char *path,
		      struct img_err *err)
{
	img_auto(img_fd_release) int root = -1;
	img_auto(img_fd_release) int from = -1;
	img_auto(img_fd_release) int top = -1;
	int r = open_top(mount_fd, &top, err);

	if (r == 0 && is_marked(top))
		r = remove_content(top, err);
	if (r == 0)
		r = rootfs_mount(root_device, root_options, false, &root, err);
	if (r < 0)
		return r;
	from = inroot_open(root, path, O_RDONLY | O_DIRECTORY);
	if (from < 0) /* the image has nothing there */
		return is_marked(top) ? drop_mark(top, err) : 0;
	r = set_mark(top, err);
	if (r == 0)
		r = tree_copy(from, top, err);
	return r < 0 ? r : drop_mark(top, err);
}
