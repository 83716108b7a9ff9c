#ifndef IMG_IMAGE_EXT4_EXTENT_H
#define IMG_IMAGE_EXT4_EXTENT_H

/*
 * Where a file's blocks are, in ext4's form: up to four extents in the inode,
 * more in a tree of blocks (kernel: filesystems/ext4/dynamic.rst, "Extent
 * Tree").
 */
#include "image/ext4_fs.h"
#include "image/tree.h"

/**
 * ext4_extents_write - write a node's extent tree, if it needs one
 *
 * Afterwards the node's map has at most four entries; with depth above 0 they
 * are index entries, with n_blocks 0.  The node must have its inode number.
 *
 * Returns 0, -IMG_E_NO_SPACE or -IMG_E_SYS.
 */
int ext4_extents_write(struct ext4_fs *fs, struct tree_node *node,
		       struct img_err *err) IMG_MUST_USE IMG_NONNULL(1, 2, 3);

#define EXT4_EXTENT_ROOT_BYTES 60u

/* Fills i_block of an inode. */
void ext4_extents_root(struct tree_map *map, void *i_block) IMG_NONNULL(1, 2);

#endif
