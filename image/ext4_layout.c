#include "image/ext4_fs.h"

#include "base/num.h"
#include "image/ext4_io.h"

#include <et/com_err.h>
#include <stdlib.h>
#include <string.h>

#define FLEX_LOG2 8u /* 256 groups, 32 GiB: one flex group for most volumes */

int ext4_fs_failed(errcode_t code, const char *what, struct img_err *err)
{
	if (code == EXT2_ET_NO_MEMORY)
		abort(); /* as base/str.h does */
	return img_err_set(err, IMG_E_INTERNAL, 0, "cannot %s: %s", what,
			   error_message(code));
}

static int check(const struct ext4_geometry *geo, struct img_err *err)
{
	char size[SIZE_TEXT_MAX];

	if (geo->size_bytes < EXT4_MIN_BYTES)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "a volume of %s is too small for a file "
				   "system: 16 MiB at least",
				   num_format_size(geo->size_bytes, size));
	if (geo->size_bytes > 1024 * TIB)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "a volume of %s is too large for a file "
				   "system",
				   num_format_size(geo->size_bytes, size));
	if (geo->label && strlen(geo->label) > EXT2_LABEL_LEN)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "file system label '%.40s' is longer than "
				   "%d bytes",
				   geo->label, EXT2_LABEL_LEN);
	return 0;
}

static void features_set(struct ext2_super_block *sb)
{
	ext2fs_set_feature_xattr(sb);
	ext2fs_set_feature_dir_index(sb);
	ext2fs_set_feature_filetype(sb);
	ext2fs_set_feature_extents(sb);
	ext2fs_set_feature_64bit(sb);
	ext2fs_set_feature_flex_bg(sb);
	ext2fs_set_feature_sparse_super(sb);
	ext2fs_set_feature_large_file(sb);
	ext2fs_set_feature_huge_file(sb);
	ext2fs_set_feature_dir_nlink(sb);
	ext2fs_set_feature_extra_isize(sb);
	ext2fs_set_feature_metadata_csum(sb);
}

/* Checksums of directories and extent blocks cover their inode's generation,
 * which libext2fs asks for here: it is 0 for all. */
static errcode_t generation_read(ext2_filsys e2, ext2_ino_t ino,
				 struct ext2_inode *inode)
{
	*inode = (struct ext2_inode){ 0 };
	return 0;
}

static int groups_init(struct ext4_fs *fs, const struct ext4_geometry *geo,
		       struct img_err *err)
{
	struct ext2_super_block param = { 0 };
	uint64_t n_inodes = geo->size_bytes / geo->bytes_per_inode;
	errcode_t code;

	if (n_inodes > UINT32_MAX - 65536)
		n_inodes = UINT32_MAX - 65536;
	param.s_rev_level = EXT2_DYNAMIC_REV;
	param.s_log_block_size = 2;
	param.s_log_cluster_size = 2;
	param.s_inode_size = EXT4_INODE_BYTES;
	param.s_inodes_count = (uint32_t)n_inodes;
	param.s_log_groups_per_flex = FLEX_LOG2;
	param.s_default_mount_opts = EXT2_DEFM_XATTR_USER | EXT2_DEFM_ACL;
	ext2fs_blocks_count_set(&param, geo->size_bytes / EXT4_BLOCK_BYTES);
	features_set(&param);
	code = ext2fs_initialize("volume", EXT2_FLAG_64BITS, &param,
				 ext4_io_manager(), &fs->e2);
	if (code)
		return ext4_fs_failed(code, "lay out a file system", err);
	fs->e2->read_inode = generation_read;
	ext4_io_attach(fs->e2->io, &fs->out);
	return 0;
}

/* The same input gives the same file system: nothing here is random, and no
 * clock is read. */
static void super_fill(struct ext4_fs *fs, const struct ext4_geometry *geo)
{
	struct ext2_super_block *sb = fs->e2->super;

	memcpy(sb->s_uuid, geo->uuid, sizeof(sb->s_uuid));
	for (size_t i = 0; i < sizeof(sb->s_uuid); i++)
		((uint8_t *)sb->s_hash_seed)[i] = geo->uuid[i] ^ 0x5a;
	if (geo->label)
		memcpy(sb->s_volume_name, geo->label, strlen(geo->label));
	sb->s_checksum_type = EXT2_CRC32C_CHKSUM;
	sb->s_def_hash_version = EXT2_HASH_HALF_MD4;
	sb->s_flags &= ~(uint32_t)EXT2_FLAGS_SIGNED_HASH;
	sb->s_flags |= EXT2_FLAGS_UNSIGNED_HASH;
	/* zero would make libext2fs read the clock */
	fs->e2->now = geo->now_s > 0 ? (time_t)geo->now_s : 1;
	sb->s_mkfs_time = sb->s_lastcheck = (uint32_t)fs->e2->now;
	ext2fs_init_csum_seed(fs->e2);
}

/* Takes @n blocks in a row from *at on, and moves *at behind them. */
static int reserve(struct ext4_fs *fs, uint64_t *at, uint32_t n, blk64_t *ret,
		   struct img_err *err)
{
	if (ext2fs_get_free_blocks2(fs->e2, *at, 0, (int)n, fs->e2->block_map,
				    ret))
		return img_err_set(err, IMG_E_INPUT, 0,
				   "the volume is too small for the tables of "
				   "its file system");
	ext2fs_block_alloc_stats_range(fs->e2, *ret, n, +1);
	*at = *ret + n;
	return 0;
}

/* A group's two bitmaps lie together, so that the few that a small volume's
 * first writes touch are in the superblock's chunk. */
static int bitmaps_place(struct ext4_fs *fs, dgrp_t first, dgrp_t end,
			 uint64_t *at, struct img_err *err)
{
	for (dgrp_t g = first; g < end; g++) {
		blk64_t block;
		int r = reserve(fs, at, 1, &block, err);

		if (r < 0)
			return r;
		ext2fs_block_bitmap_loc_set(fs->e2, g, block);
		r = reserve(fs, at, 1, &block, err);
		if (r < 0)
			return r;
		ext2fs_inode_bitmap_loc_set(fs->e2, g, block);
	}
	return 0;
}

static int tables_place(struct ext4_fs *fs, dgrp_t first, dgrp_t end,
			uint64_t *at, struct img_err *err)
{
	*at = num_align_up(*at, fs->out.n_chunk);
	for (dgrp_t g = first; g < end; g++) {
		blk64_t block;
		int r = reserve(fs, at, fs->e2->inode_blocks_per_group, &block,
				err);

		if (r < 0)
			return r;
		ext2fs_inode_table_loc_set(fs->e2, g, block);
		ext2fs_bg_flags_set(fs->e2, g, EXT2_BG_INODE_ZEROED);
	}
	return 0;
}

static int metadata_place(struct ext4_fs *fs, struct img_err *err)
{
	const dgrp_t flex = 1u << FLEX_LOG2, n = fs->e2->group_desc_count;
	uint64_t at = 0;

	for (dgrp_t g = 0; g < n; g += flex) {
		dgrp_t end = n - g < flex ? n : g + flex;
		int r;

		at = ext2fs_group_first_block2(fs->e2, g);
		r = bitmaps_place(fs, g, end, &at, err);
		if (r == 0 && g == 0)
			r = reserve(fs, &at, (uint32_t)fs->n_journal,
				    (blk64_t *)&fs->journal_block, err);
		if (r == 0)
			r = tables_place(fs, g, end, &at, err);
		if (r < 0)
			return r;
		if (g == 0)
			fs->data_block = num_align_up(at, fs->out.n_chunk);
	}
	return 0;
}

/*
 * What the kernel computes at every mount: all blocks that can never hold
 * content.  Where the superblock says otherwise, it corrects that one and all
 * its copies (fs/ext4/super.c, ext4_update_overhead), which would cost every
 * snapshot a chunk for each copy.
 */
static void overhead_set(struct ext4_fs *fs)
{
	struct ext2_super_block *sb = fs->e2->super;

	sb->s_overhead_clusters =
		(uint32_t)(ext2fs_blocks_count(sb) - fs->n_free);
}

int ext4_fs_create(struct ext4_fs *fs, int fd, const struct ext4_geometry *geo,
		   struct img_err *err)
{
	int r;

	*fs = (struct ext4_fs){ .size_bytes = geo->size_bytes,
				.now_s = geo->now_s };
	r = check(geo, err);
	if (r < 0)
		return r;
	ext4_out_init(&fs->out, fd, geo->chunk_bytes);
	fs->n_journal = geo->journal_bytes / EXT4_BLOCK_BYTES;
	r = groups_init(fs, geo, err);
	if (r < 0)
		return r;
	super_fill(fs, geo);
	r = metadata_place(fs, err);
	fs->next = fs->area_end = fs->data_block;
	fs->n_free = ext2fs_free_blocks_count(fs->e2->super);
	fs->n_left = fs->n_free;
	overhead_set(fs);
	return r;
}

void ext4_fs_release(struct ext4_fs *fs)
{
	while (fs->freed) {
		struct ext4_freed *next = fs->freed->next;

		free(fs->freed);
		fs->freed = next;
	}
	if (fs->e2)
		ext2fs_free(fs->e2);
	if (fs->out.buffer)
		ext4_out_release(&fs->out);
	fs->e2 = NULL;
}
