#ifndef IMG_STORAGE_PEEK_H
#define IMG_STORAGE_PEEK_H

/*
 * Bytes of a volume, read without making a device of it: from where the
 * pool's metadata say that they lie in the pool's data.
 *
 * For what does not change: volumes of images, and the few bytes at the front
 * of a file system that say how large it is.
 */
#include "storage/meta.h"

struct peek {
	struct thin_meta *meta; /* borrowed */
	int data;		/* open for reading; borrowed */
};

/**
 * peek_read - read bytes of a volume
 *
 * What is not mapped reads as zeroes.
 *
 * Returns 0, or IMG_E_NOT_FOUND (no such volume), IMG_E_CORRUPT, IMG_E_SYS.
 */
int peek_read(const struct peek *peek, uint32_t volume, uint64_t offset,
	      void *buf, size_t size, struct img_err *err) IMG_MUST_USE;

/**
 * peek_fs_bytes - how large the ext4 on a volume is
 *
 * Returns 1, or 0 when there is none.  Source of the superblock's layout: the
 * kernel's Documentation/filesystems/ext4/super.rst.
 */
int peek_fs_bytes(const struct peek *peek, uint32_t volume, uint64_t *ret,
		  struct img_err *err) IMG_MUST_USE;

#endif
