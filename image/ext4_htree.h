#ifndef IMG_IMAGE_EXT4_HTREE_H
#define IMG_IMAGE_EXT4_HTREE_H

/*
 * A directory of several blocks with its hash index: a root, if need be one
 * level of index blocks, then leaves that are four fifths full, so that a
 * container's first new names split none (kernel:
 * filesystems/ext4/directory.rst, "Hash Tree Directories").
 */
#include "image/ext4_fs.h"
#include "image/tree.h"

/* As ext4_dir_write, for what does not fit one block; sets no link count. */
int ext4_htree_write(struct ext4_fs *fs, struct tree_node *dir,
		     struct img_err *err) IMG_MUST_USE IMG_NONNULL(1, 2, 3);

#endif
