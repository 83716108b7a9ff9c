#ifndef IMG_IMAGE_EXT4_JOURNAL_H
#define IMG_IMAGE_EXT4_JOURNAL_H

/*
 * An empty journal: its superblock alone is written, the rest of it is
 * reserved (kernel: filesystems/ext4/journal.rst).
 */
#include "image/ext4_inode.h"

/* Writes inode 8.  Errors as ext4_inodes_put. */
int ext4_journal_inode(struct ext4_fs *fs, struct ext4_inodes *inodes,
		       struct img_err *err) IMG_MUST_USE IMG_NONNULL(1, 2, 3);

/* Writes the journal's superblock and enters the journal into the file
 * system's.  Errors: -IMG_E_NO_SPACE, -IMG_E_SYS. */
int ext4_journal_write(struct ext4_fs *fs, struct img_err *err) IMG_MUST_USE
	IMG_NONNULL(1, 2);

#endif
