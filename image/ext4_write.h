#ifndef IMG_IMAGE_EXT4_WRITE_H
#define IMG_IMAGE_EXT4_WRITE_H

/*
 * The last step: a tree whose files' content is written becomes a file
 * system.
 */
#include "image/ext4_fs.h"
#include "image/tree.h"

/**
 * ext4_write_tree - write directories, inodes, bitmaps, journal, superblock
 *
 * The tree may have no more nodes than ext4_fs_n_inodes().
 * Inode numbers go to directories first, then to the others, both in order
 * of arrival, so that what a container changes lies close together.  On
 * return everything was handed to the device, but not synced.
 *
 * Returns 0, -IMG_E_NO_SPACE, -IMG_E_UNSUPPORTED or -IMG_E_SYS.
 */
int ext4_write_tree(struct ext4_fs *fs, struct tree *tree,
		    struct img_err *err) IMG_MUST_USE IMG_NONNULL(1, 2, 3);

#endif
