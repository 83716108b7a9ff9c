#ifndef IMG_RUNTIME_COLONFILE_H
#define IMG_RUNTIME_COLONFILE_H

/*
 * Reading /etc/passwd and /etc/group of an image, which may hold anything.
 *
 * Lines come one at a time from a fixed buffer.  A line that is too long,
 * holds a NUL byte or has too few fields is skipped, as if it were not there;
 * a file that does not end is an error.  Nothing of the C library's name
 * services is used: those would load code, and read the host's files.
 */
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COLONFILE_LINE_MAX   32768u
#define COLONFILE_SIZE_MAX   (16u << 20)
#define COLONFILE_FIELDS_MAX 7

struct colonfile {
	int fd;
	const char *path;
	size_t begin, end; /* what of buf is read and not yet given out */
	uint32_t total_bytes;
	bool at_eof, skipping;
	char buf[COLONFILE_LINE_MAX];
};

/**
 * colonfile_open - start to read a file
 * @root: the directory that is the root for @path
 * @file: uninitialised; close with colonfile_close
 *
 * Returns 1, or 0 if there is no such file, then with nothing to close.
 */
int colonfile_open(struct colonfile *file, int root, const char *path,
		   struct img_err *err) IMG_MUST_USE;

/**
 * colonfile_next - the next line that has at least @n fields
 * @fields: set to the first @n fields, all up to the next call; what follows
 *          the last colon wanted is cut off
 * @n: at most COLONFILE_FIELDS_MAX
 *
 * Returns 1, 0 at the end, or a negative code.
 */
int colonfile_next(struct colonfile *file, char **fields, size_t n,
		   struct img_err *err) IMG_MUST_USE;

void colonfile_close(struct colonfile *file);

#endif
