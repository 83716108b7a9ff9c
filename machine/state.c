#include "machine/state.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/num.h"
#include "base/str.h"

#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define STATE_MIN_BYTES (16 * MIB)
/* A machine that has just ended lets go within this, of gigabytes of memory,
 * on a busy host. */
#define LOCK_WAIT_MS 5000
#define LOCK_STEP_MS 20

static const char *env(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

int machine_state_path(char **ret, struct img_err *err)
{
	if (env("IMG_STATE"))
		*ret = mem_strdup(env("IMG_STATE"));
	else if (geteuid() == 0)
		*ret = mem_strdup("/var/lib/img/machine.state");
	else if (env("XDG_DATA_HOME"))
		*ret = mem_printf("%s/img/machine.state", env("XDG_DATA_HOME"));
	else if (env("HOME"))
		*ret = mem_printf("%s/.local/share/img/machine.state",
				  env("HOME"));
	else
		return img_err_set(err, IMG_E_INPUT, 0,
				   "no place for the state disk: HOME is not "
				   "set; use --state FILE");
	return 0;
}

static int lock(int fd, const char *path, struct img_err *err)
{
	for (int ms = 0; ms <= LOCK_WAIT_MS; ms += LOCK_STEP_MS) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK)
			break;
		(void)poll(NULL, 0, LOCK_STEP_MS);
	}
	if (errno == EWOULDBLOCK)
		return img_err_set(err, IMG_E_BUSY, 0,
				   "the state disk %s is in use by another "
				   "machine",
				   path);
	return img_err_sys(err, "cannot lock the state disk %s", path);
}

static int check(int fd, const char *path, struct img_err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return img_err_sys(err, "cannot look at the state disk %s",
				   path);
	if (!S_ISREG(st.st_mode))
		return img_err_set(err, IMG_E_INPUT, 0,
				   "the state disk %s is not a regular file",
				   path);
	if (st.st_size == 0)
		return img_err_set(err, IMG_E_CORRUPT, 0,
				   "the state disk %s is empty: remove it, and "
				   "the next call makes it anew",
				   path);
	if ((uint64_t)st.st_size < STATE_MIN_BYTES)
		return img_err_set(
			err, IMG_E_CORRUPT, 0,
			"the state disk %s is damaged: it ends after "
			"%lld bytes",
			path, (long long)st.st_size);
	return 0;
}

static int make_parent(const char *path, struct img_err *err)
{
	img_auto(img_mem_release) char *parent = mem_strdup(path);
	char *slash = strrchr(parent, '/');

	if (!slash || slash == parent)
		return 0;
	*slash = '\0';
	return file_mkdirs(parent, 0700, err);
}

static int format(int fd, const char *path, const char *temp,
		  const struct machine_options *options, struct img_err *err)
{
	uint64_t size = options->state_bytes ? options->state_bytes
					     : MACHINE_STATE_DEFAULT;
	int r;

	if (ftruncate(fd, 0) < 0 || ftruncate(fd, (off_t)size) < 0)
		return img_err_sys(err, "cannot make it %llu bytes large",
				   (unsigned long long)size);
	r = options->format_state(fd, size, options->state_self, err);
	if (r < 0)
		return r;
	if (fsync(fd) < 0)
		return img_err_sys(err, "cannot sync %s", temp);
	if (rename(temp, path) < 0)
		return img_err_sys(err, "cannot rename %s", temp);
	return 0;
}

/* True when @fd, now locked, is still the file at @temp, and @path is still
 * missing: else another process was faster. */
static bool is_ours(int fd, const char *path, const char *temp)
{
	struct stat opened, there;

	return fstat(fd, &opened) == 0 && stat(temp, &there) == 0 &&
	       opened.st_dev == there.st_dev && opened.st_ino == there.st_ino &&
	       access(path, F_OK) < 0;
}

static int create(const char *path, const struct machine_options *options,
		  int *ret_fd, struct img_err *err)
{
	img_auto(img_mem_release) char *temp = mem_printf("%s.new", path);
	img_auto(img_fd_release) int fd = -1;
	int r = make_parent(path, err);

	if (r == 0) {
		fd = open(temp, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0)
			r = img_err_sys(err, "cannot create %s", temp);
	}
	if (r == 0)
		r = lock(fd, path, err);
	if (r == 0 && !is_ours(fd, path, temp))
		r = img_err_set(err, IMG_E_BUSY, 0,
				"the state disk %s is just being made by "
				"another machine",
				path);
	if (r == 0) {
		r = format(fd, path, temp, options, err);
		if (r < 0)
			(void)unlink(temp); /* the first failure counts */
	}
	if (r < 0)
		return err->code == IMG_E_BUSY
			       ? r
			       : img_err_prefix(err,
						"cannot make the state disk %s",
						path);
	*ret_fd = img_fd_take(&fd);
	return 0;
}

int state_open(const char *path, const struct machine_options *options,
	       int *ret_fd, struct img_err *err)
{
	img_auto(img_fd_release) int fd = -1;
	int r;

	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return create(path, options, ret_fd, err);
	if (fd < 0 && errno == EISDIR)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "the state disk %s is a directory", path);
	if (fd < 0)
		return img_err_sys(err, "cannot open the state disk %s", path);
	r = check(fd, path, err);
	if (r == 0)
		r = lock(fd, path, err);
	if (r == 0 && options->check_state)
		r = options->check_state(fd, path, options->state_self, err);
	if (r == 0)
		*ret_fd = img_fd_take(&fd);
	return r;
}
