#ifndef IMG_TESTS_RUNTIME_IMAGE_DIR_H
#define IMG_TESTS_RUNTIME_IMAGE_DIR_H

/* A directory that plays an image's root; setup and teardown for cmocka. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/file.h"

struct image_dir {
	char path[64];
	int fd;
};

static inline int image_dir_setup(void **state)
{
	struct image_dir *dir = calloc(1, sizeof(*dir));

	assert_non_null(dir);
	strcpy(dir->path, "/tmp/img-runtime-test-XXXXXX");
	assert_non_null(mkdtemp(dir->path));
	dir->fd = open(dir->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(dir->fd >= 0);
	assert_int_equal(mkdirat(dir->fd, "etc", 0755), 0);
	*state = dir;
	return 0;
}

static inline int image_dir_teardown(void **state)
{
	struct image_dir *dir = *state;
	struct img_err err = { 0 };
	int r = file_remove_tree(AT_FDCWD, dir->path, &err);

	close(dir->fd);
	free(dir);
	return r;
}

static inline void image_dir_put(const struct image_dir *dir, const char *name,
				 const void *data, size_t size)
{
	int fd = openat(dir->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
			0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, size), size);
	close(fd);
}

static inline void image_dir_puts(const struct image_dir *dir, const char *name,
				  const char *text)
{
	image_dir_put(dir, name, text, strlen(text));
}

#define test_in_image(fn)                                                      \
	cmocka_unit_test_setup_teardown(fn, image_dir_setup, image_dir_teardown)

#endif
