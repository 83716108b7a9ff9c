#include "base/file.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

int file_pread(int fd, void *buf, size_t size, uint64_t offset,
	       const char *what, struct img_err *err)
{
	char *at = buf;

	while (size) {
		ssize_t n = pread(fd, at, size, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return img_err_sys(err, "cannot read %s", what);
		if (n == 0)
			return img_err_set(err, IMG_E_CORRUPT, 0,
					   "%s ends too early", what);
		at += n;
		size -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

int file_pwrite(int fd, const void *buf, size_t size, uint64_t offset,
		const char *what, struct img_err *err)
{
	const char *at = buf;

	while (size) {
		ssize_t n = pwrite(fd, at, size, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return img_err_sys(err, "cannot write %s", what);
		at += n;
		size -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

int file_write(int fd, const void *buf, size_t size, const char *what,
	       struct img_err *err)
{
	const char *at = buf;

	while (size) {
		ssize_t n = write(fd, at, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return img_err_sys(err, "cannot write %s", what);
		at += n;
		size -= (size_t)n;
	}
	return 0;
}

int file_read_all(int dirfd, const char *path, size_t max, char **ret,
		  size_t *ret_size, struct img_err *err)
{
	img_auto(img_fd_release) int fd = -1;
	img_auto(str_release) struct str text = { 0 };
	char buf[4096];
	ssize_t n;

	fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return img_err_sys(err, "cannot open %s", path);
	for (;;) {
		n = read(fd, buf, sizeof(buf));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return img_err_sys(err, "cannot read %s", path);
		if (n == 0)
			break;
		if (text.len + (size_t)n > max)
			return img_err_set(err, IMG_E_INPUT, 0,
					   "%s is larger than %zu bytes", path,
					   max);
		str_addn(&text, buf, (size_t)n);
	}
	if (ret_size)
		*ret_size = text.len;
	*ret = str_take(&text);
	return 0;
}

static int sync_parent(int dirfd, const char *path, struct img_err *err)
{
	img_auto(img_mem_release) char *parent = mem_strdup(path);
	img_auto(img_fd_release) int fd = -1;
	char *slash = strrchr(parent, '/');

	if (slash)
		slash[slash == parent] = '\0';
	fd = openat(dirfd, slash ? parent : ".",
		    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		return img_err_sys(err, "cannot sync the directory of %s",
				   path);
	return 0;
}

int file_replace(int dirfd, const char *path, const void *data, size_t size,
		 bool durable, struct img_err *err)
{
	img_auto(img_mem_release) char *temp = mem_printf("%s.new", path);
	img_auto(img_fd_release) int fd = -1;
	int r;

	/* What a crash left may have another mode, or be no file at all. */
	(void)unlinkat(dirfd, temp, 0);
	fd = openat(dirfd, temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return img_err_sys(err, "cannot create %s", temp);
	r = file_write(fd, data, size, temp, err);
	if (r == 0 && durable && fsync(fd) < 0)
		r = img_err_sys(err, "cannot sync %s", temp);
	if (r == 0 && renameat(dirfd, temp, dirfd, path) < 0)
		r = img_err_sys(err, "cannot replace %s", path);
	if (r < 0) {
		(void)unlinkat(dirfd, temp, 0); /* the first failure counts */
		return r;
	}
	return durable ? sync_parent(dirfd, path, err) : 0;
}

/* A directory that is there already is as good as one that was made. */
static int make_dir(const char *path, mode_t mode)
{
	struct stat st;

	if (mkdir(path, mode) == 0)
		return 0;
	if (errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return 0;
	return -1;
}

int file_mkdirs(const char *path, mode_t mode, struct img_err *err)
{
	img_auto(img_mem_release) char *copy = mem_strdup(path);

	if (make_dir(copy, mode) == 0)
		return 0;
	for (char *at = strchr(copy + 1, '/'); at; at = strchr(at + 1, '/')) {
		*at = '\0';
		if (make_dir(copy, 0755) < 0)
			return img_err_sys(err, "cannot make the directory %s",
					   copy);
		*at = '/';
	}
	if (make_dir(copy, mode) < 0)
		return img_err_sys(err, "cannot make the directory %s", path);
	return 0;
}

static int remove_children(int fd, dev_t dev, const char *path,
			   struct img_err *err);

static int remove_at(int dirfd, const char *name, dev_t dev,
		     struct img_err *err)
{
	img_auto(img_fd_release) int fd = -1;
	struct stat st;
	int r;

	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return img_err_sys(err, "cannot remove %s", name);
	fd = openat(dirfd, name,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return img_err_sys(err, "cannot remove %s", name);
	if (dev && st.st_dev != dev)
		return img_err_set(err, IMG_E_BUSY, 0,
				   "cannot remove %s: a file system is mounted "
				   "there",
				   name);
	r = remove_children(img_fd_take(&fd), st.st_dev, name, err);
	if (r < 0)
		return r;
	if (unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return img_err_sys(err, "cannot remove %s", name);
	return 0;
}

/* Takes @fd over. */
static int remove_children(int fd, dev_t dev, const char *path,
			   struct img_err *err)
{
	img_auto(img_dir_release) DIR *dir = fdopendir(fd);
	struct dirent *de;
	int r = 0;

	if (!dir) {
		img_fd_release(&fd);
		return img_err_sys(err, "cannot list %s", path);
	}
	while (r == 0 && (de = readdir(dir)) != NULL)
		if (strcmp(de->d_name, ".") != 0 &&
		    strcmp(de->d_name, "..") != 0)
			r = remove_at(dirfd(dir), de->d_name, dev, err);
	return r;
}

int file_remove_tree(int dirfd, const char *path, struct img_err *err)
{
	return remove_at(dirfd, path, 0, err);
}
