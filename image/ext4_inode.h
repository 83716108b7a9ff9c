#ifndef IMG_IMAGE_EXT4_INODE_H
#define IMG_IMAGE_EXT4_INODE_H

/*
 * Inodes (kernel: filesystems/ext4/inodes.rst), written table block by table
 * block in ascending order.
 */
#include "image/ext4_fs.h"
#include "image/tree.h"

struct ext4_inodes {
	struct ext4_fs *fs;
	uint32_t next;	/* inode number that comes next */
	uint8_t *place; /* of the block it is in; NULL: not begun */
};

static inline void ext4_inodes_init(struct ext4_inodes *inodes,
				    struct ext4_fs *fs)
{
	*inodes = (struct ext4_inodes){ .fs = fs, .next = 1 };
}

/* Writes a node's inode, and zeroes for numbers left out before it.  Numbers
 * must ascend.  Errors: -IMG_E_NO_SPACE, -IMG_E_SYS. */
int ext4_inodes_put(struct ext4_inodes *inodes, struct tree_node *node,
		    struct img_err *err) IMG_MUST_USE IMG_NONNULL(1, 2, 3);

/* Completes the last block, and its chunk of the pool with zeroes. */
int ext4_inodes_end(struct ext4_inodes *inodes,
		    struct img_err *err) IMG_MUST_USE IMG_NONNULL(1, 2);

/* Files whose target fits here have no block. */
#define EXT4_FAST_SYMLINK_BYTES 59u

#endif
