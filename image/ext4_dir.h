#ifndef IMG_IMAGE_EXT4_DIR_H
#define IMG_IMAGE_EXT4_DIR_H

/*
 * Directories: one block of entries in the order of arrival, or, from two
 * blocks on, entries in order of their hash under an index (kernel:
 * filesystems/ext4/directory.rst).
 */
#include "image/ext4_fs.h"
#include "image/tree.h"

/**
 * ext4_dir_write - write a directory's blocks
 *
 * The node and everything in it must have inode numbers.  Sets its size, its
 * blocks and its link count.
 *
 * Returns 0, -IMG_E_NO_SPACE, -IMG_E_UNSUPPORTED (more names than an index
 * of two levels holds, some ten million), -IMG_E_SYS.
 */
int ext4_dir_write(struct ext4_fs *fs, struct tree_node *dir,
		   struct img_err *err) IMG_MUST_USE IMG_NONNULL(1, 2, 3);

/* For ext4_htree: one entry, its record @rec_len bytes long. */
void ext4_dirent_put(uint8_t *at, const struct tree_dentry *dentry,
		     uint32_t rec_len) IMG_NONNULL(1, 2);
/* "." or "..", of a directory. */
void ext4_dirent_put_dots(uint8_t *at, uint32_t ino, uint8_t name_len,
			  uint32_t rec_len) IMG_NONNULL(1);
/* Sets the checksum of a block of entries (@has_tail), or of the index. */
int ext4_dir_block_seal(struct ext4_fs *fs, const struct tree_node *dir,
			uint8_t *place, bool has_tail,
			struct img_err *err) IMG_MUST_USE
	IMG_NONNULL(1, 2, 3, 5);
/* Bytes that a name takes at least. */
static inline uint32_t ext4_dirent_bytes(uint8_t name_len)
{
	return (8u + name_len + 3u) & ~3u;
}

/* Bytes of a block that entries can use; its checksum takes the others. */
#define EXT4_DIR_BLOCK_BYTES (EXT4_BLOCK_BYTES - 12u)

#endif
