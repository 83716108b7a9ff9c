#include "base/crc32c.h"
#include "base/file.h"
#include "base/str.h"
#include "image/ext4_checking.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

/* What is known here, and what must be there. */
#define COMPAT_KNOWN                                                           \
	(EXT3_FEATURE_COMPAT_HAS_JOURNAL | EXT2_FEATURE_COMPAT_EXT_ATTR |      \
	 EXT2_FEATURE_COMPAT_RESIZE_INODE | EXT2_FEATURE_COMPAT_DIR_INDEX |    \
	 EXT4_FEATURE_COMPAT_ORPHAN_FILE)
#define INCOMPAT_NEEDED                                                        \
	(EXT2_FEATURE_INCOMPAT_FILETYPE | EXT3_FEATURE_INCOMPAT_EXTENTS)
#define INCOMPAT_KNOWN                                                         \
	(INCOMPAT_NEEDED | EXT4_FEATURE_INCOMPAT_64BIT |                       \
	 EXT2_FEATURE_INCOMPAT_META_BG | EXT4_FEATURE_INCOMPAT_FLEX_BG |       \
	 EXT4_FEATURE_INCOMPAT_CSUM_SEED)
#define RO_COMPAT_NEEDED                                                       \
	(EXT2_FEATURE_RO_COMPAT_SPARSE_SUPER |                                 \
	 EXT4_FEATURE_RO_COMPAT_METADATA_CSUM)
#define RO_COMPAT_KNOWN                                                        \
	(RO_COMPAT_NEEDED | EXT2_FEATURE_RO_COMPAT_LARGE_FILE |                \
	 EXT4_FEATURE_RO_COMPAT_HUGE_FILE | EXT4_FEATURE_RO_COMPAT_DIR_NLINK | \
	 EXT4_FEATURE_RO_COMPAT_EXTRA_ISIZE)

#define DESC_BYTES_OLD 32u
#define DAY_S	       86400
#define INODES_MAX     (UINT32_C(1) << 28)

static int unknown(const char *what, uint32_t bits, struct img_err *err)
{
	return img_err_set(err, IMG_E_UNSUPPORTED, 0,
			   "it has features that are not known here (%s %#x)",
			   what, bits);
}

static int check_features(const struct ext2_super_block *sb,
			  struct img_err *err)
{
	uint32_t compat = sb->s_feature_compat & ~COMPAT_KNOWN;
	uint32_t incompat = sb->s_feature_incompat & ~INCOMPAT_KNOWN;
	uint32_t ro_compat = sb->s_feature_ro_compat & ~RO_COMPAT_KNOWN;

	if (sb->s_feature_incompat & EXT3_FEATURE_INCOMPAT_RECOVER)
		return img_err_set(
			err, IMG_E_UNSUPPORTED, 0,
			"its journal was not replayed: it is in use, "
			"or run 'e2fsck -p' on it first");
	if (sb->s_feature_ro_compat & EXT4_FEATURE_RO_COMPAT_ORPHAN_PRESENT ||
	    sb->s_last_orphan)
		return img_err_set(err, IMG_E_UNSUPPORTED, 0,
				   "it has files that are to be deleted: it is "
				   "in use, or run 'e2fsck -p' on it first");
	if (compat)
		return unknown("compat", compat, err);
	if (incompat)
		return unknown("incompat", incompat, err);
	if (ro_compat)
		return unknown("ro_compat", ro_compat, err);
	if (!(sb->s_feature_ro_compat & EXT4_FEATURE_RO_COMPAT_METADATA_CSUM))
		return img_err_set(err, IMG_E_UNSUPPORTED, 0,
				   "its metadata has no checksums: 'tune2fs -O "
				   "metadata_csum' adds them");
	if ((sb->s_feature_incompat & INCOMPAT_NEEDED) != INCOMPAT_NEEDED ||
	    (sb->s_feature_ro_compat & RO_COMPAT_NEEDED) != RO_COMPAT_NEEDED)
		return img_err_set(
			err, IMG_E_UNSUPPORTED, 0,
			"it lacks features of an ext4 (incompat %#x, "
			"ro_compat %#x)",
			sb->s_feature_incompat, sb->s_feature_ro_compat);
	return 0;
}

static int check_geometry(struct checking *c, struct img_err *err)
{
	const struct ext2_super_block *sb = &c->sb;
	uint64_t left, inodes;

	c->n_blocks = sb->s_blocks_count;
	c->desc_bytes = DESC_BYTES_OLD;
	if (sb->s_feature_incompat & EXT4_FEATURE_INCOMPAT_64BIT) {
		c->n_blocks |= (uint64_t)sb->s_blocks_count_hi << 32;
		c->desc_bytes = sb->s_desc_size;
	}
	if (sb->s_log_block_size > 2 ||
	    sb->s_log_cluster_size != sb->s_log_block_size)
		return img_err_set(err, IMG_E_UNSUPPORTED, 0,
				   "its blocks are not of 1, 2 or 4 KiB");
	c->block_bytes = 1024u << sb->s_log_block_size;
	c->inode_bytes = sb->s_inode_size;
	if (sb->s_first_data_block != (c->block_bytes == 1024) ||
	    sb->s_blocks_per_group > 8 * c->block_bytes ||
	    sb->s_blocks_per_group < 256 || sb->s_blocks_per_group % 8 ||
	    sb->s_clusters_per_group != sb->s_blocks_per_group ||
	    c->n_blocks <= sb->s_first_data_block + 8u ||
	    c->n_blocks > c->size_bytes / c->block_bytes)
		return checking_bad(err,
				    "its superblock says %" PRIu64
				    " blocks of %u bytes, and the file has "
				    "%" PRIu64 " bytes",
				    c->n_blocks, c->block_bytes, c->size_bytes);
	if ((c->desc_bytes != DESC_BYTES_OLD &&
	     c->desc_bytes != sizeof(struct ext4_group_desc)) ||
	    (c->inode_bytes & (c->inode_bytes - 1)) != 0 ||
	    c->inode_bytes < 256 || c->inode_bytes > c->block_bytes)
		return checking_bad(err,
				    "its superblock has descriptors of %u and "
				    "inodes of %u bytes",
				    c->desc_bytes, c->inode_bytes);
	left = c->n_blocks - sb->s_first_data_block;
	left = (left + sb->s_blocks_per_group - 1) / sb->s_blocks_per_group;
	inodes = left * sb->s_inodes_per_group;
	if (!sb->s_inodes_per_group ||
	    sb->s_inodes_per_group > 8 * c->block_bytes ||
	    sb->s_inodes_per_group % (c->block_bytes / c->inode_bytes) ||
	    sb->s_inodes_per_group % 8 || inodes != sb->s_inodes_count ||
	    sb->s_first_ino < EXT2_GOOD_OLD_FIRST_INO ||
	    sb->s_first_ino >= sb->s_inodes_count)
		return checking_bad(err,
				    "its superblock says %u inodes, %u a group",
				    sb->s_inodes_count, sb->s_inodes_per_group);
	if (inodes > INODES_MAX)
		return img_err_set(err, IMG_E_UNSUPPORTED, 0,
				   "it has %u inodes; %u are possible",
				   sb->s_inodes_count, INODES_MAX);
	c->n_groups = (uint32_t)left;
	c->desc_blocks =
		(uint32_t)((left * c->desc_bytes + c->block_bytes - 1) /
			   c->block_bytes);
	c->itable_blocks =
		sb->s_inodes_per_group * c->inode_bytes / c->block_bytes;
	return 0;
}

static int check_values(const struct checking *c, struct img_err *err)
{
	const struct ext2_super_block *sb = &c->sb;
	int64_t soon = (int64_t)time(NULL) + DAY_S;
	bool has_journal =
		sb->s_feature_compat & EXT3_FEATURE_COMPAT_HAS_JOURNAL;
	bool resizes = sb->s_feature_compat & EXT2_FEATURE_COMPAT_RESIZE_INODE;
	bool meta_bg = sb->s_feature_incompat & EXT2_FEATURE_INCOMPAT_META_BG;
	uint64_t reserved =
		sb->s_r_blocks_count | (uint64_t)sb->s_r_blocks_count_hi << 32;
	uint8_t elsewhere = 0;
	uint32_t extra = c->inode_bytes - EXT2_GOOD_OLD_INODE_SIZE;

	if (sb->s_state != EXT2_VALID_FS)
		return img_err_set(err, IMG_E_UNSUPPORTED, 0,
				   "it was not cleanly unmounted, or has "
				   "errors: run 'e2fsck -p' on it first");
	if (sb->s_creator_os != EXT2_OS_LINUX ||
	    sb->s_checksum_type != EXT2_CRC32C_CHKSUM ||
	    sb->s_def_hash_version > EXT2_HASH_TEA_UNSIGNED ||
	    sb->s_log_groups_per_flex > 31 || sb->s_errors > 3 ||
	    reserved > c->n_blocks / 2 || sb->s_min_extra_isize > extra ||
	    sb->s_want_extra_isize > extra ||
	    sb->s_reserved_gdt_blocks > c->block_bytes / 4 ||
	    (sb->s_reserved_gdt_blocks && !resizes) || (meta_bg && resizes) ||
	    (meta_bg && sb->s_first_meta_bg > c->desc_blocks) ||
	    sb->s_mmp_block || sb->s_usr_quota_inum || sb->s_grp_quota_inum ||
	    sb->s_prj_quota_inum || sb->s_snapshot_inum || sb->s_encoding)
		return checking_bad(err, "its superblock has values that "
					 "cannot be");
	if (sb->s_mtime > soon || sb->s_wtime > soon)
		return checking_bad(err, "its superblock is from the future");
	/* A uuid would mean a journal on another device. */
	for (size_t i = 0; i < sizeof(sb->s_journal_uuid); i++)
		elsewhere |= sb->s_journal_uuid[i];
	if (sb->s_journal_inum != (has_journal ? EXT2_JOURNAL_INO : 0) ||
	    sb->s_journal_dev || elsewhere)
		return checking_bad(err, "its journal is not where it is "
					 "always");
	if (!(sb->s_feature_compat & EXT4_FEATURE_COMPAT_ORPHAN_FILE) !=
		    !sb->s_orphan_file_inum ||
	    (sb->s_orphan_file_inum &&
	     (sb->s_orphan_file_inum < sb->s_first_ino ||
	      sb->s_orphan_file_inum > sb->s_inodes_count)))
		return checking_bad(err, "its file of orphans cannot be");
	return 0;
}

int checking_super(struct checking *c, struct img_err *err)
{
	struct ext2_super_block *sb = &c->sb;
	int r;

	if (c->size_bytes < EXT4_CHECK_BLOCK_MAX * 16)
		return checking_bad(err, "it is too small for a file system");
	r = file_pread(c->fd, sb, sizeof(*sb), SUPERBLOCK_OFFSET,
		       "the file system", err);
	if (r < 0)
		return r;
	if (sb->s_magic != EXT2_SUPER_MAGIC ||
	    sb->s_rev_level != EXT2_DYNAMIC_REV)
		return checking_bad(err, "it holds no ext4");
	r = check_features(sb, err);
	if (r < 0)
		return r;
	if (sb->s_checksum !=
	    crc32c_update(UINT32_MAX, sb,
			  offsetof(struct ext2_super_block, s_checksum)))
		return checking_bad(err,
				    "the checksum of its superblock is wrong");
	r = check_geometry(c, err);
	if (r == 0)
		r = check_values(c, err);
	c->seed = sb->s_feature_incompat & EXT4_FEATURE_INCOMPAT_CSUM_SEED
			  ? sb->s_checksum_seed
			  : crc32c_update(UINT32_MAX, sb->s_uuid,
					  sizeof(sb->s_uuid));
	return r;
}

static uint16_t desc_checksum(const struct checking *c, uint32_t group)
{
	struct ext4_group_desc desc = c->desc[group];
	uint32_t crc = crc32c_update(c->seed, &group, sizeof(group));

	desc.bg_checksum = 0;
	return (uint16_t)crc32c_update(crc, &desc, c->desc_bytes);
}

static int read_descs(struct checking *c, struct img_err *err)
{
	uint8_t buf[EXT4_CHECK_BLOCK_MAX];
	uint32_t a_block = c->block_bytes / c->desc_bytes;

	c->desc = mem_zalloc(((size_t)c->n_groups + 1) * sizeof(*c->desc));
	for (uint32_t g = 0; g < c->n_groups; g++) {
		if (g % a_block == 0) {
			int r = checking_read(
				c, checking_desc_block(c, g / a_block), buf,
				err);

			if (r < 0)
				return r;
		}
		memcpy(&c->desc[g], buf + g % a_block * c->desc_bytes,
		       c->desc_bytes);
		if (c->desc[g].bg_checksum != desc_checksum(c, g))
			return checking_bad(
				err, "the checksum of group %u is wrong", g);
	}
	return 0;
}

/* Without flex_bg a group's metadata is in the group. */
static int check_place(const struct checking *c, uint32_t group, uint64_t block,
		       struct img_err *err)
{
	uint64_t first = checking_group_first(c, group);

	if (c->sb.s_feature_incompat & EXT4_FEATURE_INCOMPAT_FLEX_BG ||
	    (block >= first && block - first < c->sb.s_blocks_per_group))
		return 0;
	return checking_bad(err, "group %u has its tables elsewhere", group);
}

static int claim_group(struct checking *c, uint32_t g, struct img_err *err)
{
	const struct ext4_group_desc *d = &c->desc[g];
	uint64_t bitmap = d->bg_block_bitmap | (uint64_t)d->bg_block_bitmap_hi
						       << 32;
	uint64_t inodes = d->bg_inode_bitmap | (uint64_t)d->bg_inode_bitmap_hi
						       << 32;
	uint64_t table = d->bg_inode_table | (uint64_t)d->bg_inode_table_hi
						     << 32;
	struct checking_base base = checking_base(c, g);
	int r = 0;

	if (d->bg_flags & ~(EXT2_BG_INODE_UNINIT | EXT2_BG_BLOCK_UNINIT |
			    EXT2_BG_INODE_ZEROED))
		return checking_bad(err, "group %u has unknown flags", g);
	if (base.n)
		r = checking_claim(c, checking_group_first(c, g), base.n, 0,
				   err);
	if (r == 0)
		r = checking_claim(c, bitmap, 1, 0, err);
	if (r == 0)
		r = checking_claim(c, inodes, 1, 0, err);
	if (r == 0)
		r = checking_claim(c, table, c->itable_blocks, 0, err);
	if (r == 0)
		r = check_place(c, g, bitmap, err);
	if (r == 0)
		r = check_place(c, g, inodes, err);
	if (r == 0)
		r = check_place(c, g, table, err);
	return r == 0 ? check_place(c, g, table + c->itable_blocks - 1, err)
		      : r;
}

int checking_groups(struct checking *c, struct img_err *err)
{
	int r = read_descs(c, err);

	for (uint32_t g = 0; r == 0 && g < c->n_groups; g++)
		r = claim_group(c, g, err);
	return r;
}
