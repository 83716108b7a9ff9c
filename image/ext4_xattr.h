#ifndef IMG_IMAGE_EXT4_XATTR_H
#define IMG_IMAGE_EXT4_XATTR_H

/*
 * Extended attributes in ext4's form: what fits goes into the inode, the rest
 * into one block (kernel: filesystems/ext4/attributes.rst).
 */
#include "image/ext4_fs.h"
#include "image/tree.h"

/**
 * ext4_xattrs_write - give a node its extended attributes
 * @ret_skipped: raised by the number of those that Linux has no name for, as
 *	com.apple.quarantine, which are left out
 *
 * Replaces what the node had.  Of two with one name the later stays.
 *
 * Returns 0, -IMG_E_INPUT (a malformed ACL), -IMG_E_UNSUPPORTED (more than
 * inode and block hold), -IMG_E_NO_SPACE, each wanting a subject; -IMG_E_SYS.
 */
int ext4_xattrs_write(struct ext4_fs *fs, struct tree *tree,
		      struct tree_node *node, const struct entry_xattr *xattrs,
		      size_t n, uint64_t *ret_skipped,
		      struct img_err *err) IMG_MUST_USE
	IMG_NONNULL(1, 2, 3, 6, 7);

/* Fills the space behind an inode's fixed fields, already zero. */
void ext4_xattrs_body(const struct tree_xattrs *xattrs, void *to)
	IMG_NONNULL(2);

#endif
