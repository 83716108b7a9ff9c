#include "runtime/cgroup_file.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "runtime/procdir.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>

/* With errno set: each cgroup has a cgroup.procs, as long as it is there. */
static bool is_gone(int dir)
{
	int e = errno;
	bool gone = (e == ENOENT || e == ENODEV) &&
		    faccessat(dir, "cgroup.procs", F_OK, 0) < 0;

	errno = e;
	return gone;
}

int cgroup_write(int dir, const char *file, const char *text,
		 struct img_err *err)
{
	img_auto(img_fd_release) int fd = -1;

	fd = openat(dir, file, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0 && write(fd, text, strlen(text)) >= 0)
		return 0;
	if (is_gone(dir))
		return procdir_gone(err);
	return fd < 0 ? img_err_sys(err, "cannot open the cgroup's %s", file)
		      : img_err_sys(err, "cannot write '%s' to the cgroup's %s",
				    text, file);
}

int cgroup_read(int dir, const char *file, char *out, size_t size,
		struct img_err *err)
{
	img_auto(img_fd_release) int fd = -1;
	ssize_t n = -1;

	fd = openat(dir, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0)
		n = read(fd, out, size - 1);
	if (n >= 0) {
		out[n] = '\0';
		return 0;
	}
	if (is_gone(dir))
		return procdir_gone(err);
	return img_err_sys(err, "cannot %s the cgroup's %s",
			   fd < 0 ? "open" : "read", file);
}

int cgroup_read_number(int dir, const char *file, uint64_t *ret,
		       struct img_err *err)
{
	char text[64];
	int r = cgroup_read(dir, file, text, sizeof(text), err);

	if (r < 0)
		return r;
	if (strncmp(text, "max", 3) == 0)
		*ret = CGROUP_MAX;
	else if (sscanf(text, "%" SCNu64, ret) != 1)
		return img_err_set(err, IMG_E_CORRUPT, 0,
				   "the cgroup's %s is no number", file);
	return 0;
}

bool cgroup_find_key(const char *text, const char *key, uint64_t *ret)
{
	size_t len = strlen(key);

	for (const char *at = text; at; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (strncmp(at, key, len) == 0 && at[len] == ' ')
			return sscanf(at + len, "%" SCNu64, ret) == 1;
	}
	return false;
}

bool cgroup_has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = strstr(text, word); at;
	     at = strstr(at + 1, word)) {
		bool begins = at == text || at[-1] == ' ' || at[-1] == '\n';

		if (begins &&
		    (at[len] == '\0' || at[len] == ' ' || at[len] == '\n'))
			return true;
	}
	return false;
}

bool cgroup_await(int dir, const char *key, uint64_t wanted)
{
	const int64_t end = clock_steady_ms() + CGROUP_PATIENCE_MS;
	img_auto(img_fd_release) int fd = -1;
	char text[CGROUP_TEXT_MAX];

	fd = openat(dir, "cgroup.events", O_RDONLY | O_CLOEXEC);
	for (;;) {
		struct pollfd changed = { .fd = fd, .events = POLLPRI };
		ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
		int64_t left = end - clock_steady_ms();
		uint64_t value;

		if (n < 0)
			return false;
		text[n] = '\0';
		if (cgroup_find_key(text, key, &value) && value == wanted)
			return true;
		if (left <= 0 || poll(&changed, 1, (int)left) < 0)
			return false;
	}
}
