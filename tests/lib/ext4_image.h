#ifndef IMG_TESTS_LIB_EXT4_IMAGE_H
#define IMG_TESTS_LIB_EXT4_IMAGE_H

/*
 * A file system in a temporary sparse file, filled by image/rootfs.h and
 * looked at through libext2fs and e2fsck, which others wrote.
 */
#include "base/str.h"
#include "image/rootfs.h"

#include <ext2fs/ext2_fs.h>
#include <ext2fs/ext2fs.h>

struct ext4_image {
	int fd;
	char path[64];
	uint64_t size_bytes;
	ext2_filsys fs; /* once opened */
};

/* An empty sparse file; release removes it. */
void ext4_image_init(struct ext4_image *image, uint64_t size_bytes);
void ext4_image_release(struct ext4_image *image);

/* Imports an archive held in memory; the result and *err are rootfs_write's
 * or, before it, tar_source_open's. */
int ext4_image_import(struct ext4_image *image, const struct str *tar,
		      const struct rootfs_options *options,
		      struct rootfs_stats *stats, struct img_err *err);

/* Fails the test unless e2fsck -fn finds nothing. */
void ext4_image_check(struct ext4_image *image);

/* The inode a path leads to, symlinks not followed; 0 where there is none. */
ext2_ino_t ext4_image_find(struct ext4_image *image, const char *path);

/* The inode of a path, which must be there. */
ext2_ino_t ext4_image_stat(struct ext4_image *image, const char *path,
			   struct ext2_inode_large *ret);

/* All of a file's content. */
void ext4_image_read(struct ext4_image *image, const char *path,
		     struct str *ret);

/* An extended attribute as getxattr(2) gives it; its size, or -1. */
int ext4_image_xattr(struct ext4_image *image, const char *path,
		     const char *name, struct str *ret);

#endif
