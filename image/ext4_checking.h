#ifndef IMG_IMAGE_EXT4_CHECKING_H
#define IMG_IMAGE_EXT4_CHECKING_H

/*
 * The inside of ext4_check(), for its files alone: what was learnt so far.
 *
 * Order: superblock and descriptors; the bitmaps of inodes; all inodes, which
 * claim their blocks; the directories, from the root; then all counts, and the
 * bitmaps of blocks against what was claimed.
 */
#include "base/err.h"
#include "base/progress.h"

#include <ext2fs/ext2_fs.h>
#include <ext2fs/ext2fs.h>
#include <ext2fs/ext3_extents.h>
#include <stdbool.h>
#include <stdint.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "ext4 structures are read here in the order of their bytes on disk"
#endif

#define EXT4_CHECK_BLOCK_MAX 4096u

struct checking {
	int fd;
	uint64_t size_bytes;
	const struct progress *progress;
	struct ext2_super_block sb;
	uint32_t block_bytes, inode_bytes, desc_bytes;
	uint32_t seed; /* of all checksums */
	uint32_t n_groups, desc_blocks, itable_blocks;
	uint64_t n_blocks;
	struct ext4_group_desc *desc; /* those of 32 bytes padded */
	uint8_t *used;		      /* a bit a block: it was claimed */
	/* Of each inode, from 1: kind, the upper four bits of the mode, 0
	 * unused; links it says it has; names found for it. */
	uint8_t *kind;
	uint16_t *links;
	uint32_t *names;
	/* Attribute blocks, one entry for each inode that refers to one. */
	uint64_t *xattr_blocks;
	size_t n_xattr_blocks, room_xattr_blocks;
};

/* An inode with what is computed of it. */
struct checking_inode {
	uint32_t ino;
	uint32_t seed; /* of the checksums of its blocks */
	union {
		struct ext2_inode_large disk;
		uint8_t bytes[EXT4_CHECK_BLOCK_MAX];
	};
};

/* "damaged" with a line; always negative. */
#define checking_bad(err_, ...) img_err_set(err_, IMG_E_CORRUPT, 0, __VA_ARGS__)

/* ext4_check.c */
int checking_read(const struct checking *c, uint64_t block, void *buf,
		  struct img_err *err) IMG_MUST_USE;
/* Claims blocks for @ino, or for the file system itself if that is 0. */
int checking_claim(struct checking *c, uint64_t block, uint64_t n, uint32_t ino,
		   struct img_err *err) IMG_MUST_USE;
bool checking_has_super(uint32_t group);
uint64_t checking_group_first(const struct checking *c, uint32_t group);

/* Where a group's superblock and descriptors lie; ext4_check.c. */
struct checking_base {
	uint32_t n;    /* at the beginning of the group: superblock,
			* descriptors, and what is reserved for more of these */
	uint64_t desc; /* with meta_bg: its block of descriptors; else 0 */
};
struct checking_base checking_base(const struct checking *c, uint32_t group);
/* The block of descriptors @n that counts. */
uint64_t checking_desc_block(const struct checking *c, uint32_t n);

/* ext4_check_super.c */
int checking_super(struct checking *c, struct img_err *err) IMG_MUST_USE;
int checking_groups(struct checking *c, struct img_err *err) IMG_MUST_USE;

/* ext4_check_bitmap.c */
/* Sets the kind of every inode that is in use, to the placeholder 0xff. */
int checking_inode_bitmaps(struct checking *c,
			   struct img_err *err) IMG_MUST_USE;
int checking_block_bitmaps(struct checking *c,
			   struct img_err *err) IMG_MUST_USE;

/* ext4_check_inode.c */
#define CHECKING_IN_USE 0xffu
int checking_inodes(struct checking *c, struct img_err *err) IMG_MUST_USE;
/* Reads one that was found sound before. */
int checking_inode_read(const struct checking *c, uint32_t ino,
			struct checking_inode *ret,
			struct img_err *err) IMG_MUST_USE;

/* ext4_check_extent.c */
struct checking_extent {
	uint32_t logical, n;
	uint64_t block;
	bool written;
};
typedef int checking_extent_fn(void *self, const struct checking_extent *extent,
			       struct img_err *err);
/* Walks an inode's extents, in order; with @claim claims them and the tree's
 * own blocks, of which it counts *ret_n_tree. */
int checking_extents(struct checking *c, const struct checking_inode *inode,
		     bool claim, checking_extent_fn *fn, void *self,
		     uint64_t *ret_n_tree, struct img_err *err) IMG_MUST_USE;

/* ext4_check_xattr.c */
int checking_inode_xattrs(const struct checking *c,
			  const struct checking_inode *inode,
			  struct img_err *err) IMG_MUST_USE;
int checking_xattr_blocks(struct checking *c, struct img_err *err) IMG_MUST_USE;

/* ext4_check_special.c: what the file system keeps for itself. */
int checking_journal(struct checking *c, const struct checking_inode *inode,
		     struct img_err *err) IMG_MUST_USE;
int checking_resize_inode(struct checking *c,
			  const struct checking_inode *inode,
			  struct img_err *err) IMG_MUST_USE;
int checking_orphan_file(struct checking *c, const struct checking_inode *inode,
			 struct img_err *err) IMG_MUST_USE;

/* ext4_check_dir.c */
int checking_directories(struct checking *c, struct img_err *err) IMG_MUST_USE;

/* ext4_check_htree.c */
/* What a block of a hashed directory is. */
struct checking_leaf {
	enum { HTREE_UNSEEN, HTREE_INDEX, HTREE_LEAF } what;
	uint32_t low, high; /* hashes of the names in a leaf, inclusive */
};
/* @blocks: where the directory's blocks lie; @ret: one entry for each. */
int checking_htree(const struct checking *c, const struct checking_inode *dir,
		   const uint64_t *blocks, uint32_t n,
		   struct checking_leaf *ret, int *ret_hash_version,
		   struct img_err *err) IMG_MUST_USE;

#endif
