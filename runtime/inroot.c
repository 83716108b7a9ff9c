#include "runtime/inroot.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* The kernel answers EAGAIN when a rename elsewhere in the system made it
 * unsure of a "..": trying again is all there is to do. */
#define RETRIES 128

int inroot_open(int root, const char *path, int flags)
{
	struct open_how how = {
		.flags = (unsigned int)flags | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	int fd = -1;

	for (int i = 0; i < RETRIES; i++) {
		fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	return fd;
}

/* The way to open again what an O_PATH descriptor holds: proc(5). */
static void link_of_fd(int fd, char out[32])
{
	static const char prefix[] = "/proc/self/fd/";
	char *end = out + sizeof(prefix) - 1;
	unsigned int n = (unsigned int)fd;

	memcpy(out, prefix, sizeof(prefix));
	do {
		end++;
		n /= 10;
	} while (n);
	*end = '\0';
	for (n = (unsigned int)fd; *--end != '/'; n /= 10)
		*end = (char)('0' + n % 10);
}

int inroot_open_file(int root, const char *path)
{
	img_auto(img_fd_release) int fd = -1;
	char link[32];
	struct stat st;

	fd = inroot_open(root, path, O_PATH);
	if (fd < 0 || fstat(fd, &st) != 0)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return -1;
	}
	link_of_fd(fd, link);
	return open(link, O_RDONLY | O_CLOEXEC);
}

/* The directory @path, made under the already open @parent if need be. */
static int open_or_mkdir(int root, int parent, const char *path,
			 const char *name, mode_t mode)
{
	int fd = inroot_open(root, path, O_PATH | O_DIRECTORY);

	if (fd >= 0 || errno != ENOENT)
		return fd;
	if (mkdirat(parent, name, mode) != 0 && errno != EEXIST)
		return -1;
	return inroot_open(root, path, O_PATH | O_DIRECTORY);
}

int inroot_mkdirs(int root, const char *path, mode_t mode, int *ret,
		  struct img_err *err)
{
	img_auto(img_fd_release) int dir = -1;
	char prefix[PATH_MAX];
	size_t at = 0;

	*ret = inroot_open(root, path, O_PATH | O_DIRECTORY);
	if (*ret >= 0)
		return 0;
	if (errno != ENOENT || strlen(path) >= sizeof(prefix))
		return img_err_sys(err, "cannot use directory '%s'", path);

	dir = inroot_open(root, "/", O_PATH | O_DIRECTORY);
	if (dir < 0)
		return img_err_sys(err, "cannot open the root directory");
	while (path[at]) {
		size_t start, len;
		int next;

		while (path[at] == '/') {
			prefix[at] = '/';
			at++;
		}
		start = at;
		len = strcspn(path + at, "/");
		if (len == 0)
			break;
		memcpy(prefix + at, path + at, len);
		at += len;
		prefix[at] = '\0';
		next = open_or_mkdir(root, dir, prefix, prefix + start, mode);
		if (next < 0)
			return img_err_sys(err, "cannot make directory '%s'",
					   prefix);
		img_fd_release(&dir);
		dir = next;
	}
	*ret = img_fd_take(&dir);
	return 0;
}

/* Splits "/a/b" into an open "/a" and the name "b". */
static int open_parent(int root, const char *path, int *ret,
		       const char **ret_name, struct img_err *err)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX];
	size_t len = slash ? (size_t)(slash - path) : 0;

	*ret_name = slash ? slash + 1 : path;
	if (len >= sizeof(dir) || !**ret_name)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "'%s' is no name for a file", path);
	memcpy(dir, path, len);
	dir[len] = '\0';
	return inroot_mkdirs(root, len ? dir : "/", 0755, ret, err);
}

int inroot_mkfile(int root, const char *path, int *ret, struct img_err *err)
{
	img_auto(img_fd_release) int fd = -1;
	struct stat st;

	fd = inroot_open(root, path, O_PATH);
	if (fd < 0 && errno == ENOENT) {
		img_auto(img_fd_release) int dir = -1;
		img_auto(img_fd_release) int made = -1;
		const char *name;
		int r = open_parent(root, path, &dir, &name, err);

		if (r < 0)
			return r;
		made = openat(dir, name,
			      O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
				      O_CLOEXEC,
			      0644);
		if (made < 0 && errno != EEXIST)
			return img_err_sys(err, "cannot make file '%s'", path);
		fd = inroot_open(root, path, O_PATH);
	}
	if (fd < 0 || fstat(fd, &st) != 0)
		return img_err_sys(err, "cannot use file '%s'", path);
	if (S_ISDIR(st.st_mode))
		return img_err_set(err, IMG_E_INPUT, EISDIR,
				   "cannot use file '%s'", path);
	*ret = img_fd_take(&fd);
	return 0;
}
