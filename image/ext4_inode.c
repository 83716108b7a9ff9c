#include "image/ext4_inode.h"

#include "image/ext4_extent.h"
#include "image/ext4_xattr.h"

#include <string.h>
#include <sys/stat.h>

#define PER_BLOCK (EXT4_BLOCK_BYTES / EXT4_INODE_BYTES)

/* 34 bits of seconds: 32 signed ones and two that say how often to add 2^32;
 * 30 bits of nanoseconds.  What is outside, from 1901 to 2446, is clamped, as
 * the kernel does. */
static void time_set(uint32_t *seconds, uint32_t *extra, int64_t s, uint32_t ns)
{
	const int64_t min = INT32_MIN, max = INT32_MAX + (INT64_C(3) << 32);

	if (s < min || s > max) {
		s = s < min ? min : max;
		ns = 0;
	}
	*seconds = (uint32_t)s;
	*extra = ns << 2 | (uint32_t)(((s - (int32_t)s) >> 32) & 3);
}

/* One time for all four: nothing else is known, and the same archive is to
 * give the same image. */
static void times_set(struct ext2_inode_large *inode,
		      const struct tree_node *node)
{
	uint32_t seconds, extra;

	time_set(&seconds, &extra, node->mtime_s, node->mtime_ns);
	inode->i_mtime = inode->i_atime = inode->i_ctime = seconds;
	inode->i_mtime_extra = inode->i_atime_extra = extra;
	inode->i_ctime_extra = inode->i_crtime_extra = extra;
	inode->i_crtime = seconds;
}

static void dev_set(struct ext2_inode_large *inode, uint32_t maj, uint32_t min)
{
	if (maj < 256 && min < 256)
		inode->i_block[0] = maj << 8 | min;
	else /* new_encode_dev() of the kernel */
		inode->i_block[1] =
			(min & 0xff) | maj << 8 | (min & ~0xffu) << 12;
}

static void content_set(struct ext2_inode_large *inode, struct tree_node *node)
{
	inode->i_size = (uint32_t)node->size_bytes;
	inode->i_size_high = (uint32_t)(node->size_bytes >> 32);
	if (S_ISCHR(node->mode) || S_ISBLK(node->mode)) {
		dev_set(inode, node->dev.major, node->dev.minor);
	} else if (tree_node_is_symlink(node) &&
		   node->size_bytes <= EXT4_FAST_SYMLINK_BYTES) {
		memcpy(inode->i_block, node->target, node->size_bytes);
	} else if (S_ISREG(node->mode) || S_ISDIR(node->mode) ||
		   tree_node_is_symlink(node)) {
		inode->i_flags |= EXT4_EXTENTS_FL;
		ext4_extents_root(&node->map, inode->i_block);
	}
	if (S_ISDIR(node->mode) && node->size_bytes > EXT4_BLOCK_BYTES)
		inode->i_flags |= EXT2_INDEX_FL;
}

static void blocks_set(struct ext2_inode_large *inode, struct tree_node *node)
{
	uint64_t block = node->xattrs ? node->xattrs->block : 0;
	uint64_t n = tree_map_blocks(&node->map) + (block != 0);
	const uint64_t sectors = n * (EXT4_BLOCK_BYTES / 512);

	inode->i_file_acl = (uint32_t)block;
	inode->osd2.linux2.l_i_file_acl_high = (uint16_t)(block >> 32);
	if (sectors >> 48) { /* then in blocks: huge_file */
		inode->i_flags |= EXT4_HUGE_FILE_FL;
	} else {
		n = sectors;
	}
	inode->i_blocks = (uint32_t)n;
	inode->osd2.linux2.l_i_blocks_hi = (uint16_t)(n >> 32);
}

static void encode(struct ext4_fs *fs, struct tree_node *node, void *to)
{
	struct ext2_inode_large *inode = to;

	inode->i_mode = node->mode;
	inode->i_uid = (uint16_t)node->uid;
	inode->i_gid = (uint16_t)node->gid;
	inode->osd2.linux2.l_i_uid_high = (uint16_t)(node->uid >> 16);
	inode->osd2.linux2.l_i_gid_high = (uint16_t)(node->gid >> 16);
	inode->i_links_count = (uint16_t)node->links;
	inode->i_extra_isize = sizeof(*inode) - EXT2_GOOD_OLD_INODE_SIZE;
	times_set(inode, node);
	content_set(inode, node);
	blocks_set(inode, node);
	ext4_xattrs_body(node->xattrs, inode + 1);
	(void)ext2fs_inode_csum_set(fs->e2, node->ino, inode); /* succeeds */
}

static uint64_t block_of(const struct ext4_fs *fs, uint32_t ino)
{
	uint32_t per_group = fs->e2->super->s_inodes_per_group;
	dgrp_t group = (ino - 1) / per_group;

	return ext2fs_inode_table_loc(fs->e2, group) +
	       (ino - 1) % per_group / PER_BLOCK;
}

static int step(struct ext4_inodes *inodes, struct img_err *err)
{
	struct ext4_fs *fs = inodes->fs;

	if ((inodes->next - 1) % PER_BLOCK == 0) {
		int r = ext4_out_block(&fs->out, block_of(fs, inodes->next),
				       &inodes->place, err);

		if (r < 0)
			return r;
		memset(inodes->place, 0, EXT4_BLOCK_BYTES);
	}
	inodes->next++;
	return 0;
}

int ext4_inodes_put(struct ext4_inodes *inodes, struct tree_node *node,
		    struct img_err *err)
{
	while (inodes->next <= node->ino) {
		int r = step(inodes, err);

		if (r < 0)
			return r;
	}
	encode(inodes->fs, node,
	       inodes->place + (node->ino - 1) % PER_BLOCK * EXT4_INODE_BYTES);
	return 0;
}

int ext4_inodes_end(struct ext4_inodes *inodes, struct img_err *err)
{
	struct ext4_fs *fs = inodes->fs;
	uint32_t per_group = fs->e2->super->s_inodes_per_group;

	while ((inodes->next - 1) % per_group != 0 &&
	       ((inodes->next - 1) % PER_BLOCK != 0 ||
		block_of(fs, inodes->next) % fs->out.n_chunk != 0)) {
		int r = step(inodes, err);

		if (r < 0)
			return r;
	}
	return 0;
}
