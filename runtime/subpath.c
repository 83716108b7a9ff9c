#include "runtime/subpath.h"

#include "base/cleanup.h"
#include "runtime/inroot.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>

int subpath_check(const char *path, struct img_err *err)
{
	int depth = 0;

	if (!*path || *path == '/')
		depth = -1;
	while (depth >= 0 && *path) {
		const size_t len = strcspn(path, "/");

		if (len == 2 && path[0] == '.' && path[1] == '.')
			depth--;
		else if (len > 0 && !(len == 1 && path[0] == '.'))
			depth++;
		path += len;
		path += *path == '/';
	}
	return depth >= 0 ? 0
			  : img_err_set(err, IMG_E_INPUT, 0,
					"a directory inside the volume is "
					"wanted, as in 'a/b'");
}

/* There is no name for a mount but the working directory. */
static int take_off(const struct bind_tree *tree, struct img_err *err)
{
	img_auto(img_fd_release) int here =
		open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r = 0;

	if (here < 0 || fchdir(tree->fd) != 0)
		return img_err_sys(err, "cannot enter a volume");
	if (umount2(".", MNT_DETACH) != 0)
		r = img_err_sys(err, "cannot unmount a volume");
	if (fchdir(here) != 0 && r == 0)
		r = img_err_sys(err, "cannot leave a volume");
	return r;
}

int subpath_attach(int root, const struct bind_mount *bind,
		   const struct bind_tree *tree, const char *path,
		   struct img_err *err)
{
	img_auto(img_fd_release) int dir = -1;
	img_auto(img_fd_release) int fd = -1;
	struct bind_tree part = { .fd = -1, .is_dir = true };
	int r = bind_attach(root, bind, tree, err);

	if (r < 0)
		return r;
	dir = inroot_open(tree->fd, path, O_PATH | O_DIRECTORY);
	if (dir < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return img_err_set(err, IMG_E_NOT_FOUND, 0,
				   "cannot mount the volume '%s': there is no "
				   "directory '%s' in it",
				   bind->source, path);
	if (dir >= 0)
		fd = open_tree(dir, "",
			       AT_EMPTY_PATH | OPEN_TREE_CLONE |
				       OPEN_TREE_CLOEXEC);
	if (fd < 0)
		return img_err_sys(err, "cannot mount '%s' of the volume '%s'",
				   path, bind->source);
	r = take_off(tree, err);
	part.fd = fd;
	return r < 0 ? r : bind_attach(root, bind, &part, err);
}
