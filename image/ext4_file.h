#ifndef IMG_IMAGE_EXT4_FILE_H
#define IMG_IMAGE_EXT4_FILE_H

/*
 * A file's content, as it arrives, into the blocks that follow the last
 * file's; what is skipped stays a hole.
 */
#include "image/ext4_fs.h"
#include "image/tree.h"

struct ext4_file {
	struct ext4_fs *fs;
	struct tree_node *node;
	uint64_t at_bytes; /* in the file; what comes next */
	uint8_t *place;	   /* where that goes, while n_place is not 0 */
	size_t n_place;	   /* bytes left of the blocks taken */
};

/**
 * ext4_file_begin - @node's content follows, size_bytes of it
 * Returns 0, or -IMG_E_INPUT with a message that wants a subject: larger
 * than 16 TiB.
 */
int ext4_file_begin(struct ext4_file *file, struct ext4_fs *fs,
		    struct tree_node *node, uint64_t size_bytes,
		    struct img_err *err) IMG_MUST_USE IMG_NONNULL(1, 2, 3, 5);

/* Adds a stretch.  Errors: -IMG_E_INPUT (out of order, or beyond the size),
 * -IMG_E_NO_SPACE; both want a subject.  Or -IMG_E_SYS. */
int ext4_file_data(struct ext4_file *file, const struct entry_data *data,
		   struct img_err *err) IMG_MUST_USE IMG_NONNULL(1, 2, 3);

/* Completes the last block. */
void ext4_file_end(struct ext4_file *file) IMG_NONNULL(1);

/* Gives back all blocks of a node that nobody names any more. */
void ext4_file_forget(struct ext4_fs *fs, struct tree_node *node)
	IMG_NONNULL(1, 2);

#endif
