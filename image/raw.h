#ifndef IMG_IMAGE_RAW_H
#define IMG_IMAGE_RAW_H

/*
 * A file system as it lies on a disk, copied whole: from a file into a volume,
 * and from a volume into a file.  What is zero is not written, so a target
 * that reads as zeroes keeps its holes.
 */
#include "base/err.h"
#include "base/progress.h"
#include "image/ext4_check.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What may hold a file system: a file or block device, or a stream, which can
 * be read but once. */
struct raw_source {
	int fd; /* -1: it holds none */
	uint64_t size_bytes;
	bool is_stream;
	/* What was read of a stream to see what it is: comes before the rest,
	 * also where it holds none. */
	uint8_t head[EXT4_PEEK_BYTES];
	size_t head_bytes;
};

/**
 * raw_open - see whether something holds an ext2, ext3 or ext4
 * @path: "-" for standard input
 * @ret: the caller closes its fd
 *
 * Returns 0, or -IMG_E_NOT_FOUND, -IMG_E_SYS.
 */
int raw_open(const char *path, struct raw_source *ret,
	     struct img_err *err) IMG_MUST_USE;

/**
 * raw_read - copy a file system into a volume, and check it there
 * @source: as raw_open gives it; a file may change meanwhile
 * @fd: the volume, which reads as zeroes and is nobody else's
 *
 * Of a stream, what comes after the file system has to be zeroes.  Durable
 * when it returns 0; then the volume holds a file system that ext4_check()
 * found sound.  Errors as there, -IMG_E_NO_SPACE, and -IMG_E_INPUT for a
 * stream that is shorter or longer.
 */
int raw_read(const struct raw_source *source, int fd,
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
