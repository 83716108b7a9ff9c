#ifndef IMG_IMAGE_EXT4_USED_H
#define IMG_IMAGE_EXT4_USED_H

/*
 * Which parts of a volume an ext4 file system uses, by its own bitmaps.
 */
#include "base/err.h"

#include <stdint.h>

struct ext4_used;

/**
 * ext4_used_open - read the bitmaps
 * @fd: a device or file that does not change; borrowed
 *
 * Returns 0, or as ext4_check() where superblock, descriptors or bitmaps are
 * not as they should be.
 */
int ext4_used_open(int fd, uint64_t size_bytes, struct ext4_used **ret,
		   struct img_err *err) IMG_MUST_USE;
void ext4_used_free(struct ext4_used **used);

/* Calls @fn for each stretch of bytes in use, ascending.  Inodes that were
 * never used are not.  What @fn returns other than 0 ends it. */
int ext4_used_each(const struct ext4_used *used,
		   int (*fn)(void *self, uint64_t begin, uint64_t end,
			     struct img_err *err),
		   void *self, struct img_err *err) IMG_MUST_USE;

#endif
