#include "runtime/colonfile.h"

#include "base/cleanup.h"
#include "runtime/inroot.h"

#include <string.h>

int colonfile_open(struct colonfile *file, int root, const char *path,
		   struct img_err *err)
{
	file->path = path;
	file->begin = file->end = 0;
	file->total_bytes = 0;
	file->at_eof = file->skipping = false;
	file->fd = inroot_open_file(root, path);
	if (file->fd >= 0)
		return 1;
	if (errno == ENOENT || errno == ENOTDIR)
		return 0;
	return img_err_sys(err, "cannot read '%s' of the image", path);
}

void colonfile_close(struct colonfile *file)
{
	img_fd_release(&file->fd);
}

/* Reads more behind what is there, moved to the front of the buffer. */
static int fill(struct colonfile *file, struct img_err *err)
{
	ssize_t n;

	if (file->begin) {
		memmove(file->buf, file->buf + file->begin,
			file->end - file->begin);
		file->end -= file->begin;
		file->begin = 0;
	}
	if (file->end == sizeof(file->buf)) {
		file->skipping = true;
		file->end = 0;
	}
	n = read(file->fd, file->buf + file->end,
		 sizeof(file->buf) - file->end);
	if (n < 0 && errno == EINTR)
		return 0;
	if (n < 0)
		return img_err_sys(err, "cannot read '%s' of the image",
				   file->path);
	file->at_eof = n == 0;
	file->end += (size_t)n;
	file->total_bytes += (uint32_t)n;
	if (file->total_bytes > COLONFILE_SIZE_MAX)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "'%s' of the image is larger than %u MiB",
				   file->path, COLONFILE_SIZE_MAX >> 20);
	return 0;
}

/* The next line, NUL-terminated, and its length; 0 at the end. */
static int next_line(struct colonfile *file, char **ret, size_t *ret_len,
		     struct img_err *err)
{
	for (;;) {
		char *line = file->buf + file->begin;
		size_t len = file->end - file->begin;
		char *newline = len ? memchr(line, '\n', len) : NULL;
		int r;

		if (newline ||
		    (file->at_eof && len && file->end < sizeof(file->buf))) {
			bool skip = file->skipping;

			if (newline)
				len = (size_t)(newline - line);
			line[len] = '\0';
			file->begin += len + (newline != NULL);
			file->skipping = false;
			if (skip)
				continue;
			*ret = line;
			*ret_len = len;
			return 1;
		}
		if (file->at_eof)
			return 0;
		r = fill(file, err);
		if (r < 0)
			return r;
	}
}

static bool split(char *line, char **fields, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char *colon = strchr(line, ':');

		fields[i] = line;
		if (!colon)
			return i + 1 == n;
		*colon = '\0';
		line = colon + 1;
	}
	return true;
}

int colonfile_next(struct colonfile *file, char **fields, size_t n,
		   struct img_err *err)
{
	char *line;
	size_t len;
	int r;

	while ((r = next_line(file, &line, &len, err)) > 0)
		if (strlen(line) == len && split(line, fields, n))
			return 1;
	return r;
}
