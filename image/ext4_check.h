#ifndef IMG_IMAGE_EXT4_CHECK_H
#define IMG_IMAGE_EXT4_CHECK_H

/*
 * Is this an ext4 that a kernel may be trusted with?
 *
 * For file systems that somebody else made: a crafted one can attack the
 * kernel that mounts it.  So all of its metadata is read here, in a process of
 * the user's, before any kernel sees it, and it must be right in every point:
 *
 * - superblock and features within a list of what is known here, metadata
 *   checksums among them; cleanly unmounted, no journal to replay, no orphans;
 * - every checksum, of descriptors, bitmaps, inodes, extents, directories,
 *   attributes, journal;
 * - every block used once or not at all, and the bitmaps and counts say so;
 * - every inode of a known kind, its extents in order and in range;
 * - the directories a tree, every name once in its directory, hash trees in
 *   order, every link counted.
 *
 * This is stricter than e2fsck, and mends nothing: what is in doubt is
 * refused, in one line that says what was found where.  It allocates in
 * proportion to the size of the file system, and always ends: no block is
 * entered twice.
 *
 * Source of the format: the kernel's Documentation/filesystems/ext4.
 */
#include "base/err.h"
#include "base/progress.h"

#include <stdbool.h>
#include <stdint.h>

/* Enough bytes from the start of a file to see what it is. */
#define EXT4_PEEK_BYTES 2048u

/* True when these bytes begin an ext2, ext3 or ext4 file system; says nothing
 * about its being sound. */
bool ext4_peek(const uint8_t bytes[EXT4_PEEK_BYTES]);
/* How large that says it is; UINT64_MAX where it does not fit. */
uint64_t ext4_peek_size(const uint8_t bytes[EXT4_PEEK_BYTES]);

/**
 * ext4_check - check a whole file system
 * @fd: of a device or file that nobody else can write to, open for reading
 * @size_bytes: of that; the file system may be smaller
 * @progress: may be NULL
 *
 * Returns 0, -IMG_E_CORRUPT (damaged), -IMG_E_UNSUPPORTED (sound for all we
 * know, but more than is known here), -IMG_E_INTERRUPTED, or -IMG_E_SYS.
 */
int ext4_check(int fd, uint64_t size_bytes, const struct progress *progress,
	       struct img_err *err) IMG_MUST_USE;

#endif
