#ifndef IMG_RUNTIME_INROOT_H
#define IMG_RUNTIME_INROOT_H

/*
 * Paths that come out of an image, or lead into one.
 *
 * Every look-up treats a directory as the root: "..", absolute symlinks and
 * links of links stay inside it, whoever swaps them meanwhile, and the links
 * in /proc that lead to open files are not followed at all (openat2(2),
 * RESOLVE_IN_ROOT and RESOLVE_NO_MAGICLINKS).
 */
#include "base/err.h"

#include <stdbool.h>
#include <sys/types.h>

/**
 * inroot_open - open @path as seen from the root directory @root
 * @root: a directory, or AT_FDCWD for the working directory
 * @flags: of open(2), no O_CREAT; O_CLOEXEC is added
 *
 * Returns a file descriptor, or -1 with errno set.
 */
int inroot_open(int root, const char *path, int flags) IMG_MUST_USE;

/**
 * inroot_open_file - open a regular file for reading
 *
 * What is not a regular file is never opened, only looked at: a fifo in an
 * image cannot stop the caller, a device node has no effect.
 *
 * Returns a file descriptor, or -1 with errno set, EINVAL for another type.
 */
int inroot_open_file(int root, const char *path) IMG_MUST_USE;

/**
 * inroot_mkdirs - open a directory, made with its parents where missing
 * @mode: of each directory made, subject to the umask
 * @ret: an O_PATH descriptor of the directory; the caller closes it
 *
 * A dangling symlink on the way is an error, not a place to make something.
 */
int inroot_mkdirs(int root, const char *path, mode_t mode, int *ret,
		  struct img_err *err) IMG_MUST_USE;

/**
 * inroot_mkfile - open a file, made empty with its parents where missing
 * @ret: an O_PATH descriptor; the caller closes it
 *
 * A directory in its place is -IMG_E_INPUT.
 */
int inroot_mkfile(int root, const char *path, int *ret,
		  struct img_err *err) IMG_MUST_USE;

#endif
