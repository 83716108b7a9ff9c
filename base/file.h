#ifndef IMG_BASE_FILE_H
#define IMG_BASE_FILE_H

/*
 * Files: whole reads and writes, directories made with their parents, and
 * replacement that a crash cannot tear.
 */
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Reads or writes all of @size, through signals and short counts.  A read
 * that meets the end early fails with IMG_E_CORRUPT.  @what names the object
 * in the message. */
int file_pread(int fd, void *buf, size_t size, uint64_t offset,
	       const char *what, struct img_err *err) IMG_MUST_USE;
int file_pwrite(int fd, const void *buf, size_t size, uint64_t offset,
		const char *what, struct img_err *err) IMG_MUST_USE;
int file_write(int fd, const void *buf, size_t size, const char *what,
	       struct img_err *err) IMG_MUST_USE;

/**
 * file_read_all - a whole file as a NUL-terminated heap string
 * @dirfd: directory that @path starts from, or AT_FDCWD
 * @max: refuse files larger than this, in bytes
 * @ret: the caller frees it
 * @ret_size: without the NUL; may be NULL
 */
int file_read_all(int dirfd, const char *path, size_t max, char **ret,
		  size_t *ret_size, struct img_err *err) IMG_MUST_USE;

/**
 * file_replace - put @size bytes in place of a file, all or nothing
 *
 * Writes a temporary neighbour and renames it over @path.  With @durable the
 * file and its directory are synced first, so that the new content survives a
 * power cut once this returned.  A crash may leave "<path>.new" behind, which
 * the next call replaces.
 */
int file_replace(int dirfd, const char *path, const void *data, size_t size,
		 bool durable, struct img_err *err) IMG_MUST_USE;

/* Makes a directory and its parents, mode 0755 but for the last, @mode. */
int file_mkdirs(const char *path, mode_t mode,
		struct img_err *err) IMG_MUST_USE;

/* Removes a directory and all that is in it; a missing one is no error.
 * Never follows a symlink and never leaves the file system. */
int file_remove_tree(int dirfd, const char *path,
		     struct img_err *err) IMG_MUST_USE;

#endif
