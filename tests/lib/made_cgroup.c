#include "tests/lib/made_cgroup.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int made_cgroup_setup(void **state)
{
	struct made_cgroup *made = calloc(1, sizeof(*made));

	assert(made);
	(void)snprintf(made->path, sizeof(made->path),
		       "/tmp/img-cgroup.XXXXXX");
	if (!mkdtemp(made->path))
		return -1;
	made->dir = open(made->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	*state = made;
	if (made->dir < 0)
		return -1;
	made_write(made->dir, "cgroup.procs", ""); /* as each cgroup has */
	return 0;
}

int made_cgroup_teardown(void **state)
{
	struct made_cgroup *made = *state;
	struct img_err err = { 0 };
	int r = file_remove_tree(AT_FDCWD, made->path, &err);

	(void)close(made->dir);
	free(made);
	return r;
}

void made_write(int dir, const char *file, const char *text)
{
	int fd = openat(dir, file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
			0644);
	ssize_t n;

	assert(fd >= 0);
	n = write(fd, text, strlen(text));
	assert(n == (ssize_t)strlen(text));
	(void)n;
	(void)close(fd);
}

const char *made_read(int dir, const char *file, char *out, size_t size)
{
	int fd = openat(dir, file, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, out, size - 1);

	out[n < 0 ? 0 : n] = '\0';
	if (fd >= 0)
		(void)close(fd);
	return out;
}
