#ifndef IMG_IMAGE_ROOTFS_H
#define IMG_IMAGE_ROOTFS_H

/*
 * A root file system from an archive or a directory onto a block device or
 * into a file, as ext4, with nothing mounted.
 *
 * The target must read as zeroes from end to end: a fresh thin volume, a
 * fresh sparse file.  What need not be written is not.  The same entries,
 * uuid and time give the same bytes.  There is no lost+found: the tree is
 * exactly what the source holds.
 *
 * A crash or a failure leaves the target without a usable file system.
 */
#include "base/progress.h"
#include "image/entry.h"

#include <stdbool.h>

struct rootfs_options {
	const char *label;	  /* at most 16 bytes; NULL: none */
	const uint8_t *uuid;	  /* 16 bytes; NULL: random */
	uint64_t max_entries;	  /* 0: 10 million */
	uint32_t chunk_bytes;	  /* of the pool below; 0: 64 KiB */
	uint64_t bytes_per_inode; /* 0: 16 KiB; empty: 64 KiB */
	uint64_t journal_bytes;	  /* 0: 8 MiB; empty: up to 64 MiB */
	int64_t now_s;		  /* of the file system and implied directories;
				   * 0: the clock */
	bool sync;		  /* durable on return */
	const struct entry_xattr *root_xattrs; /* set on the root directory */
	size_t n_root_xattrs;
	const struct progress *progress;
};

struct rootfs_stats {
	uint64_t entries;		     /* of the source */
	uint64_t regular_files, directories; /* of the result */
	uint64_t data_bytes;	 /* of file content, replaced ones included */
	uint64_t fs_used_bytes;	 /* as df shows it: without tables */
	uint64_t written_bytes;	 /* to the target */
	uint64_t skipped_xattrs; /* that Linux has no name for */
};

/**
 * rootfs_write - fill a file system from a source
 * @source: read to its end, or to the first error; stays the caller's
 * @fd: open for writing; O_DIRECT is set on it meanwhile, where it can be
 * @size_bytes: of the file system, 16 MiB or more
 * @stats: may be NULL
 *
 * A source with no entries gives an empty root directory, as docker import
 * does.
 *
 * Returns 0; -IMG_E_INPUT with the entry named (see tree_add),
 * -IMG_E_NO_SPACE when it does not fit the size or the pool,
 * -IMG_E_UNSUPPORTED for what ext4 cannot hold, -IMG_E_INTERRUPTED,
 * -IMG_E_SYS, or what the source returns.
 */
int rootfs_write(struct entry_source *source, int fd, uint64_t size_bytes,
		 const struct rootfs_options *options,
		 struct rootfs_stats *stats, struct img_err *err) IMG_MUST_USE
	IMG_NONNULL(1, 4, 6);

/**
 * rootfs_format_empty - an empty file system for general use
 *
 * As rootfs_write with no entries, but with fewer inodes and a larger
 * journal.  Writes about 1 MiB in a file of 128 GiB.
 */
int rootfs_format_empty(int fd, uint64_t size_bytes,
			const struct rootfs_options *options,
			struct img_err *err) IMG_MUST_USE IMG_NONNULL(3, 4);

#endif
