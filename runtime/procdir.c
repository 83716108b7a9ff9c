#include "runtime/procdir.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int procdir_gone(struct img_err *err)
{
	return img_err_set(err, IMG_E_NOT_FOUND, 0, "the container has ended");
}

int procdir_open(int pidfd, int *ret, struct img_err *err)
{
	struct pollfd alive = { .fd = pidfd, .events = POLLIN };
	img_auto(img_mem_release) char *info = NULL;
	img_auto(img_fd_release) int fd = -1;
	char path[64];
	const char *field;
	long pid;
	int r;

	(void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	r = file_read_all(AT_FDCWD, path, 4096, &info, NULL, err);
	if (r < 0)
		return r;
	field = strstr(info, "Pid:\t");
	pid = field ? strtol(field + strlen("Pid:\t"), NULL, 10) : 0;
	if (pid <= 0)
		return procdir_gone(err);
	(void)snprintf(path, sizeof(path), "/proc/%ld", pid);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || poll(&alive, 1, 0) != 0)
		return procdir_gone(err);
	*ret = img_fd_take(&fd);
	return 0;
}
