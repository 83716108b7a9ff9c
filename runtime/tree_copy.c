#include "runtime/tree_copy.h"

#include "base/cleanup.h"
#include "base/hardlinks.h"
#include "base/str.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define VALUE_MAX 65536 /* XATTR_SIZE_MAX of limits.h in linux/ */

struct copy {
	int top;		/* of the copy */
	struct hardlinks links; /* by their copies, from the top */
	char *value;		/* of an extended attribute */
};

static void copy_release(struct copy *c)
{
	hardlinks_release(&c->links);
	img_mem_release(&c->value);
}

static int failed(const char *path, struct img_err *err)
{
	return img_err_sys(err, "cannot copy '%s'", *path ? path : "/");
}

/* One attribute after another, by paths that lead to open files. */
static int copy_xattrs(struct copy *c, const char *from, const char *to)
{
	img_auto(img_mem_release) char *names = NULL;
	ssize_t len = llistxattr(from, NULL, 0);

	if (len <= 0)
		return len < 0 && errno != EOPNOTSUPP ? -1 : 0;
	names = mem_alloc((size_t)len);
	len = llistxattr(from, names, (size_t)len);
	if (len < 0)
		return -1;
	if (!c->value)
		c->value = mem_alloc(VALUE_MAX);
	for (const char *name = names; name < names + len;
	     name += strlen(name) + 1) {
		ssize_t size = lgetxattr(from, name, c->value, VALUE_MAX);

		if (size < 0 ||
		    lsetxattr(to, name, c->value, (size_t)size, 0) != 0)
			return -1;
	}
	return 0;
}

/* "/proc/self/fd/N/NAME": the file of that name in an open directory. */
static void path_in(int dir, const char *name, char out[NAME_MAX + 40])
{
	(void)snprintf(out, NAME_MAX + 40, "/proc/self/fd/%d/%s", dir, name);
}

/* The owner first: a change of it takes set-user-ID and capabilities away. */
static int copy_attributes(struct copy *c, int from, int to, const char *name,
			   const struct stat *st)
{
	const struct timespec times[] = { st->st_atim, st->st_mtim };
	char source[NAME_MAX + 40], target[NAME_MAX + 40];

	path_in(from, name, source);
	path_in(to, name, target);
	if (fchownat(to, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) !=
	    0)
		return -1;
	if (!S_ISLNK(st->st_mode) &&
	    fchmodat(to, name, st->st_mode & 07777, 0) != 0)
		return -1;
	if (copy_xattrs(c, source, target) != 0)
		return -1;
	return utimensat(to, name, times, AT_SYMLINK_NOFOLLOW);
}

/* From the start of data to its end, and over the hole behind it. */
static int copy_data(int from, int to, off_t size)
{
	off_t at = 0;

	while (at < size) {
		off_t end, start = lseek(from, at, SEEK_DATA);

		if (start < 0) /* only a hole is left */
			break;
		end = lseek(from, start, SEEK_HOLE);
		if (end < 0 || lseek(to, start, SEEK_SET) < 0)
			return -1;
		/* Not copy_file_range: that stays in one file system. */
		for (at = start; at < end;) {
			ssize_t n = sendfile(to, from, &at, (size_t)(end - at));

			if (n < 0)
				return -1;
			if (n == 0)
				return ftruncate(to, size);
		}
	}
	return ftruncate(to, size);
}

static int copy_file(int from, int to, const char *name, const struct stat *st)
{
	img_auto(img_fd_release) int in = -1;
	img_auto(img_fd_release) int out = -1;

	in = openat(from, name,
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOATIME | O_CLOEXEC);
	out = openat(to, name,
		     O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		     0600);
	if (in < 0 || out < 0)
		return -1;
	return copy_data(in, out, st->st_size);
}

static int copy_symlink(int from, int to, const char *name)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(from, name, target, sizeof(target) - 1);

	if (n < 0)
		return -1;
	target[n] = '\0';
	return symlinkat(target, to, name);
}

/* 1 when it is another name of what was copied. */
static int copy_link(struct copy *c, int to, const char *name, const char *path,
		     const struct stat *st)
{
	const char *first = NULL;

	if (st->st_nlink > 1)
		first = hardlinks_seen(&c->links, st->st_dev, st->st_ino, path);
	if (!first)
		return 0;
	return linkat(c->top, first, to, name, 0) == 0 ? 1 : -1;
}

static int copy_dir(struct copy *c, int from, int to, const char *path,
		    unsigned depth, struct img_err *err);

static int copy_below(struct copy *c, int from, int to, const char *name,
		      const char *path, unsigned depth, struct img_err *err)
{
	img_auto(img_fd_release) int in = -1;
	img_auto(img_fd_release) int out = -1;
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

	if (mkdirat(to, name, 0700) != 0)
		return failed(path, err);
	in = openat(from, name, flags | O_NOATIME);
	out = openat(to, name, flags);
	if (in < 0 || out < 0)
		return failed(path, err);
	return copy_dir(c, in, out, path, depth + 1, err);
}

static int copy_one(struct copy *c, int from, int to, const char *name,
		    const char *path, unsigned depth, struct img_err *err)
{
	struct stat st;
	int r;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return failed(path, err);
	if (S_ISDIR(st.st_mode)) {
		r = copy_below(c, from, to, name, path, depth, err);
		if (r < 0)
			return r;
	} else {
		r = copy_link(c, to, name, path, &st);
		if (r > 0)
			return 0;
		if (r == 0 && S_ISREG(st.st_mode))
			r = copy_file(from, to, name, &st);
		else if (r == 0 && S_ISLNK(st.st_mode))
			r = copy_symlink(from, to, name);
		else if (r == 0)
			r = mknodat(to, name, st.st_mode, st.st_rdev);
		if (r < 0)
			return failed(path, err);
	}
	return copy_attributes(c, from, to, name, &st) != 0 ? failed(path, err)
							    : 0;
}

static int copy_dir(struct copy *c, int from, int to, const char *path,
		    unsigned depth, struct img_err *err)
{
	img_auto(img_dir_release) DIR *dir = NULL;
	int fd = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct dirent *entry;
	int r = 0;

	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return failed(path, err);
	if (depth > TREE_COPY_DEPTH_MAX)
		return img_err_set(err, IMG_E_UNSUPPORTED, 0,
				   "cannot copy '%.80s...': directories lie "
				   "more than %d deep in each other",
				   path, TREE_COPY_DEPTH_MAX);
	while (r == 0 && (errno = 0, entry = readdir(dir)) != NULL) {
		img_auto(img_mem_release) char *below = NULL;

		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		below = mem_printf("%s%s%s", path, *path ? "/" : "",
				   entry->d_name);
		r = copy_one(c, from, to, entry->d_name, below, depth, err);
	}
	if (r == 0 && errno != 0)
		return failed(path, err);
	return r;
}

int tree_copy(int from, int to, struct img_err *err)
{
	img_auto(copy_release) struct copy c = { .top = to };
	struct stat st;
	int r = copy_dir(&c, from, to, "", 0, err);

	if (r == 0 && (fstat(from, &st) != 0 ||
		       copy_attributes(&c, from, to, ".", &st) != 0))
		r = failed("", err);
	return r;
}
