#ifndef IMG_IMAGE_FORMATS_H
#define IMG_IMAGE_FORMATS_H

/*
 * The door to the part "formats": what needs libarchive and libext2fs.
 *
 * These functions are reached through part_symbol() alone, by the types given
 * here, so that no other verb loads those libraries.
 */
#include "base/err.h"
#include "base/progress.h"

#include <stddef.h>
#include <stdint.h>

struct formats_import {
	const char *source; /* a tar, a directory, or "-" for stdin */
	const void *head;   /* what was read of stdin already, or NULL */
	size_t head_bytes;
	int fd; /* device or file to fill; reads as zeroes */
	uint64_t size_bytes;
	uint64_t max_entries; /* 0: 10 million */
	uint64_t chunk_bytes; /* of the pool */
	const struct progress *progress;
};

/* Fills a volume with the root file system that @import->source holds, and
 * syncs it.  Errors as rootfs_write. */
typedef int formats_import_fn(const struct formats_import *import,
			      struct img_err *err);
formats_import_fn formats_import;

/* As raw_open: what is to be copied, and not unpacked. */
struct raw_source;
typedef int formats_raw_open_fn(const char *source, struct raw_source *ret,
				struct img_err *err);
formats_raw_open_fn formats_raw_open;

/* As raw_read. */
typedef int formats_raw_import_fn(const struct raw_source *source, int fd,
				  const struct progress *progress,
				  struct img_err *err);
formats_raw_import_fn formats_raw_import;

/* As raw_write. */
typedef int formats_raw_export_fn(int fd, uint64_t size_bytes, int out,
				  const struct progress *progress,
				  struct img_err *err);
formats_raw_export_fn formats_raw_export;

/* Writes the tree of a directory as a tar archive to @out: dir_read, then
 * tar_write. */
typedef int formats_tar_export_fn(const char *dir, int out,
				  const struct progress *progress,
				  struct img_err *err);
formats_tar_export_fn formats_tar_export;

/* Makes an empty ext4 for general use. */
typedef int formats_mkfs_fn(int fd, uint64_t size_bytes, const char *label,
			    struct img_err *err);
formats_mkfs_fn formats_mkfs;

#define FORMATS_PART "formats"

#endif
