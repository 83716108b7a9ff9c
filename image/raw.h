#ifndef IMG_IMAGE_RAW_H
#define IMG_IMAGE_RAW_H

/*
 * A file system as it lies on a disk, copied whole: from a file into a volume,
 * and from a volume into a file.  What is zero is not written, so a target
 * that reads as zeroes keeps its holes.
 */
#include "base/err.h"
#include "base/progress.h"

#include <stdbool.h>
#include <stdint.h>

/**
 * raw_open - open a file or block device that holds an ext2, ext3 or ext4
 * @ret_fd: the caller's; -1 when it does not, or is neither file nor device
 *
 * Returns 0, or -IMG_E_NOT_FOUND, -IMG_E_SYS.
 */
int raw_open(const char *path, int *ret_fd, uint64_t *ret_size_bytes,
	     struct img_err *err) IMG_MUST_USE;

/**
 * raw_read - copy a file system into a volume, and check it there
 * @in: a file, as raw_open gives it; it may change meanwhile
 * @fd: the volume, which reads as zeroes and is nobody else's
 *
 * Durable when it returns 0; then the volume holds a file system that
 * ext4_check() found sound.  Errors as there, and -IMG_E_NO_SPACE.
 */
int raw_read(int in, uint64_t size_bytes, int fd,
	     const struct progress *progress, struct img_err *err) IMG_MUST_USE;

/**
 * raw_write - copy a volume into an empty file
 * @fd: the volume, which does not change and has no journal to replay
 * @out: set to the volume's size; synced
 *
 * Only what the file system uses is read; deleted files' old content does not
 * come along.  A volume that holds something else than a clean ext4 is copied
 * as it is.
 */
int raw_write(int fd, uint64_t size_bytes, int out,
	      const struct progress *progress,
	      struct img_err *err) IMG_MUST_USE;

#endif
