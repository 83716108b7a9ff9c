#include "runtime/mounts.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "runtime/inroot.h"
#include "runtime/subpath.h"
#include "runtime/tmpfs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static int open_device(const struct container_mount *m, struct bind_tree *ret,
		       struct img_err *err)
{
	const struct bind_mount bind = { .source = m->source,
					 .target = m->target,
					 .how = { .top = true } };
	struct stat st;
	int r;

	if (stat(m->source, &st) != 0)
		return img_err_sys(err, "cannot use the device '%s'",
				   m->source);
	if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
		return img_err_set(err, IMG_E_INPUT, 0, "'%s' is not a device",
				   m->source);
	r = bind_open(&bind, true, ret, err);
	if (r < 0)
		return r;
	/* Another may have its name by now. */
	if (fstat(ret->fd, &st) != 0 ||
	    (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode)))
		return img_err_set(err, IMG_E_INPUT, 0, "'%s' is not a device",
				   m->source);
	return 0;
}

static bool is_there(int root, const char *path)
{
	img_auto(img_fd_release) int fd = inroot_open(root, path, O_PATH);

	return fd >= 0;
}

/* Not synced, and rewritten in place: the next start makes it anew, and a
 * container that runs keeps the file that it has mounted. */
static int write_text(const struct container_mount *m, struct img_err *err)
{
	img_auto(img_mem_release) char *dir = mem_strdup(m->source);
	img_auto(img_fd_release) int fd = -1;
	char *slash = strrchr(dir, '/');
	int r = 0;

	if (slash && slash != dir) {
		*slash = '\0';
		r = file_mkdirs(dir, 0700, err);
	}
	if (r < 0)
		return r;
	fd = open(m->source,
		  O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0 || fchmod(fd, 0644) != 0)
		return img_err_sys(err, "cannot make '%s'", m->source);
	return file_write(fd, m->text, strlen(m->text), m->source, err);
}

static int open_one(const struct container_mount *m, bool nodes,
		    struct bind_tree *ret, struct img_err *err)
{
	const struct bind_mount bind = { .source = m->source,
					 .target = m->target,
					 .how = m->how };

	switch (m->kind) {
	case MOUNT_BIND:
		return bind_open(&bind, nodes, ret, err);
	case MOUNT_DEVICE:
		return open_device(m, ret, err);
	case MOUNT_VOLUME:
		ret->fd = img_fd_take(m->volume);
		break;
	case MOUNT_TMPFS:
		break;
	}
	return 0;
}

int mounts_open(int root, const struct container_mount *mounts, size_t n,
		bool nodes, struct bind_tree **ret, struct img_err *err)
{
	int r = 0;

	*ret = NULL;
	if (n == 0)
		return 0;
	*ret = mem_alloc(n * sizeof(**ret));
	for (size_t i = 0; i < n; i++)
		(*ret)[i] = (struct bind_tree){ .fd = -1, .is_dir = true };
	for (size_t i = 0; r == 0 && i < n; i++) {
		const struct container_mount *m = &mounts[i];

		if (m->if_there && !is_there(root, m->target))
			continue;
		if (m->text)
			r = write_text(m, err);
		if (r == 0)
			r = open_one(m, nodes, &(*ret)[i], err);
	}
	return r;
}

int mounts_map(const struct container_mount *mounts, size_t n,
	       const struct bind_tree *trees, int ns, struct img_err *err)
{
	for (size_t i = 0; i < n; i++) {
		const struct container_mount *m = &mounts[i];
		const struct bind_mount bind = { .source = m->source,
						 .target = m->target,
						 .how = m->how };
		struct img_err dropped = { 0 };
		int r;

		if (trees[i].fd < 0)
			continue;
		r = bind_map(&bind, &trees[i], ns, &dropped);
		if (r < 0 && m->kind != MOUNT_DEVICE && !m->own) {
			*err = dropped;
			return r;
		}
	}
	return 0;
}

void mounts_release(struct bind_tree **trees, size_t n)
{
	for (size_t i = 0; *trees && i < n; i++)
		img_fd_release(&(*trees)[i].fd);
	img_mem_release(trees);
}

static int attach_tmpfs(int root, const struct container_mount *m, bool nodes,
			struct img_err *err)
{
	const struct bind_mount bind = { .source = "tmpfs",
					 .target = m->target };
	struct bind_tree tree = { .fd = -1, .is_dir = true };
	int r = tmpfs_open(m->options, nodes, &tree.fd, err);

	if (r < 0)
		return img_err_prefix(err, "cannot mount at '%s'", m->target);
	r = bind_attach(root, &bind, &tree, err);
	img_fd_release(&tree.fd);
	return r;
}

int mounts_attach(int root, const struct container_mount *mounts, size_t n,
		  const struct bind_tree *trees, bool nodes,
		  struct img_err *err)
{
	for (size_t i = 0; i < n; i++) {
		const struct container_mount *m = &mounts[i];
		const struct bind_mount bind = { .source = m->source,
						 .target = m->target };
		int r;

		if (m->if_there &&
		    (trees[i].fd < 0 || !is_there(root, m->target)))
			continue;
		if (m->kind == MOUNT_TMPFS)
			r = attach_tmpfs(root, m, nodes, err);
		else if (m->subpath)
			r = subpath_attach(root, &bind, &trees[i], m->subpath,
					   err);
		else
			r = bind_attach(root, &bind, &trees[i], err);
		if (r < 0)
			return r;
	}
	return 0;
}
