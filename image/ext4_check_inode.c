#include "base/crc32c.h"
#include "base/str.h"
#include "image/ext4_checking.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#define FLAGS_KNOWN                                                            \
	(EXT2_SECRM_FL | EXT2_UNRM_FL | EXT2_SYNC_FL | EXT2_IMMUTABLE_FL |     \
	 EXT2_APPEND_FL | EXT2_NODUMP_FL | EXT2_NOATIME_FL | EXT2_INDEX_FL |   \
	 EXT3_JOURNAL_DATA_FL | EXT2_NOTAIL_FL | EXT2_DIRSYNC_FL |             \
	 EXT2_TOPDIR_FL | EXT4_HUGE_FILE_FL | EXT4_EXTENTS_FL |                \
	 EXT4_PROJINHERIT_FL)
#define FLAGS_NOT_SPECIAL (EXT2_IMMUTABLE_FL | EXT2_APPEND_FL)

/* What an inode's blocks add up to. */
struct blocks {
	const struct checking_inode *inode;
	bool is_dir;
	uint64_t n;
	uint64_t written_end; /* one above the last that was written */
	bool gap;	      /* not all from the first on, written */
};

static int add_extent(void *self, const struct checking_extent *extent,
		      struct img_err *err)
{
	struct blocks *b = self;

	if (!extent->written || extent->logical != b->written_end)
		b->gap = true;
	b->n += extent->n;
	if (extent->written)
		b->written_end = (uint64_t)extent->logical + extent->n;
	return 0;
}

static uint64_t size_of(const struct ext2_inode_large *in)
{
	return in->i_size | (uint64_t)in->i_size_high << 32;
}

static uint64_t xattr_block_of(const struct ext2_inode_large *in)
{
	return in->i_file_acl | (uint64_t)in->osd2.linux2.l_i_file_acl_high
					<< 32;
}

static int bad(const struct checking_inode *inode, const char *what,
	       struct img_err *err)
{
	return checking_bad(err, "inode %u %s", inode->ino, what);
}

static void inode_seed(const struct checking *c, struct checking_inode *inode)
{
	uint32_t crc = crc32c_update(c->seed, &inode->ino, sizeof(inode->ino));

	inode->seed = crc32c_update(crc, &inode->disk.i_generation,
				    sizeof(inode->disk.i_generation));
}

static bool checksum_is_right(const struct checking *c,
			      const struct checking_inode *inode)
{
	struct checking_inode copy = *inode;
	const struct ext2_inode_large *in = &inode->disk;
	bool wide = in->i_extra_isize >= 4;
	uint32_t crc, says = in->osd2.linux2.l_i_checksum_lo;

	copy.disk.osd2.linux2.l_i_checksum_lo = 0;
	if (wide) {
		copy.disk.i_checksum_hi = 0;
		says |= (uint32_t)in->i_checksum_hi << 16;
	}
	crc = crc32c_update(inode->seed, copy.bytes, c->inode_bytes);
	return (wide ? crc : crc & 0xffff) == says;
}

/* ext4 counts sectors, or blocks where those would be too many. */
static int check_count(const struct checking *c,
		       const struct checking_inode *inode, uint64_t blocks,
		       struct img_err *err)
{
	const struct ext2_inode_large *in = &inode->disk;
	uint64_t says = in->i_blocks | (uint64_t)in->osd2.linux2.l_i_blocks_hi
					       << 32;

	if (!(in->i_flags & EXT4_HUGE_FILE_FL))
		blocks *= c->block_bytes / 512;
	if (says == blocks)
		return 0;
	return checking_bad(err,
			    "inode %u says %" PRIu64 " blocks and has %" PRIu64,
			    inode->ino, says, blocks);
}

static bool is_before_epoch(uint32_t seconds, uint32_t extra)
{
	return (extra & 3) == 3 && seconds >> 31;
}

static int check_fields(struct checking *c, const struct checking_inode *inode,
			struct img_err *err)
{
	const struct ext2_inode_large *in = &inode->disk;
	uint32_t room = c->inode_bytes - EXT2_GOOD_OLD_INODE_SIZE;

	if (in->i_dtime)
		return bad(inode, "is in use, and deleted", err);
	if (in->i_flags & ~FLAGS_KNOWN)
		return img_err_set(err, IMG_E_UNSUPPORTED, 0,
				   "inode %u has flags that are not known here "
				   "(%#x)",
				   inode->ino, in->i_flags & ~FLAGS_KNOWN);
	if (in->i_extra_isize > room || in->i_extra_isize % 4 || in->i_faddr)
		return bad(inode, "has values that cannot be", err);
	if (!LINUX_S_ISREG(in->i_mode) && in->i_size_high)
		return bad(inode, "is too large for what it is", err);
	if (!LINUX_S_ISDIR(in->i_mode) && in->i_flags & EXT2_INDEX_FL)
		return bad(inode, "is no directory, and hashed", err);
	if (in->i_extra_isize >= 28 &&
	    (is_before_epoch(in->i_atime, in->i_atime_extra) ||
	     is_before_epoch(in->i_ctime, in->i_ctime_extra) ||
	     is_before_epoch(in->i_mtime, in->i_mtime_extra) ||
	     is_before_epoch(in->i_crtime, in->i_crtime_extra)))
		return bad(inode, "has a time that cannot be", err);
	return checking_inode_xattrs(c, inode, err);
}

static int read_first(const struct checking *c,
		      const struct checking_inode *inode, uint8_t *buf,
		      struct img_err *err)
{
	struct ext3_extent e;

	memcpy(&e, (const uint8_t *)inode->disk.i_block + 12, sizeof(e));
	return checking_read(c, e.ee_start | (uint64_t)e.ee_start_hi << 32, buf,
			     err);
}

static int check_symlink(struct checking *c, const struct checking_inode *inode,
			 const struct blocks *b, struct img_err *err)
{
	const struct ext2_inode_large *in = &inode->disk;
	uint8_t buf[EXT4_CHECK_BLOCK_MAX + 1] = { 0 };
	size_t room = sizeof(in->i_block);
	int r;

	if (in->i_flags & EXT4_EXTENTS_FL) {
		room = c->block_bytes;
		if (b->n != 1 || b->gap || in->i_block[0] >> 16 != 1)
			return bad(inode, "is an odd symlink", err);
		r = read_first(c, inode, buf, err);
		if (r < 0)
			return r;
	} else {
		memcpy(buf, in->i_block, room);
	}
	if (!in->i_size || in->i_size >= room ||
	    strlen((const char *)buf) != in->i_size)
		return bad(inode, "is a symlink with an odd target", err);
	return 0;
}

static int check_special(const struct checking_inode *inode,
			 struct img_err *err)
{
	const struct ext2_inode_large *in = &inode->disk;
	bool is_device = LINUX_S_ISCHR(in->i_mode) || LINUX_S_ISBLK(in->i_mode);

	if (in->i_size || in->i_flags & (EXT4_EXTENTS_FL | FLAGS_NOT_SPECIAL))
		return bad(inode, "is special, and has a size or blocks", err);
	/* The number is in the first word, or in the second if it is long. */
	for (size_t i = is_device ? 2 : 0; i < EXT2_N_BLOCKS; i++)
		if (in->i_block[i])
			return bad(inode, "is special, and has blocks", err);
	if (is_device && in->i_block[0] && in->i_block[1])
		return bad(inode, "is a device with two numbers", err);
	return 0;
}

static int check_by_type(struct checking *c, const struct checking_inode *inode,
			 const struct blocks *b, struct img_err *err)
{
	const struct ext2_inode_large *in = &inode->disk;
	bool has_extents = in->i_flags & EXT4_EXTENTS_FL;

	switch (in->i_mode & LINUX_S_IFMT) {
	case LINUX_S_IFREG:
		if (!has_extents)
			return img_err_set(err, IMG_E_UNSUPPORTED, 0,
					   "inode %u has a list of blocks, no "
					   "extents",
					   inode->ino);
		if (size_of(in) < b->written_end * c->block_bytes &&
		    (b->written_end - 1) * c->block_bytes >= size_of(in))
			return bad(inode, "has blocks beyond its end", err);
		if (size_of(in) > (uint64_t)UINT32_MAX * c->block_bytes)
			return bad(inode, "is too large", err);
		return 0;
	case LINUX_S_IFDIR:
		if (!has_extents || b->gap || !b->n ||
		    b->n * c->block_bytes != in->i_size)
			return bad(inode, "is a directory with gaps", err);
		return 0;
	case LINUX_S_IFLNK:
		return check_symlink(c, inode, b, err);
	case LINUX_S_IFCHR:
	case LINUX_S_IFBLK:
	case LINUX_S_IFIFO:
	case LINUX_S_IFSOCK:
		return check_special(inode, err);
	default:
		return bad(inode, "is of no kind", err);
	}
}

static void note_xattr_block(struct checking *c, uint64_t block)
{
	if (c->n_xattr_blocks == c->room_xattr_blocks) {
		c->room_xattr_blocks =
			c->room_xattr_blocks ? 2 * c->room_xattr_blocks : 64;
		c->xattr_blocks = mem_realloc(c->xattr_blocks,
					      c->room_xattr_blocks *
						      sizeof(*c->xattr_blocks));
	}
	c->xattr_blocks[c->n_xattr_blocks++] = block;
}

static int check_used(struct checking *c, const struct checking_inode *inode,
		      struct img_err *err)
{
	const struct ext2_inode_large *in = &inode->disk;
	uint64_t xattr = xattr_block_of(in), n_tree = 0;
	struct blocks b = { .inode = inode };
	int r = check_fields(c, inode, err);

	if (r == 0 && in->i_flags & EXT4_EXTENTS_FL)
		r = checking_extents(c, inode, true, add_extent, &b, &n_tree,
				     err);
	if (r == 0)
		r = check_count(c, inode, b.n + n_tree + !!xattr, err);
	if (r == 0)
		r = check_by_type(c, inode, &b, err);
	if (r < 0)
		return r;
	if (xattr)
		note_xattr_block(c, xattr);
	c->kind[inode->ino] = (uint8_t)(in->i_mode >> 12);
	c->links[inode->ino] = in->i_links_count;
	return 0;
}

/* Those that the file system keeps for itself. */
static int check_reserved(struct checking *c,
			  const struct checking_inode *inode,
			  struct img_err *err)
{
	const struct ext2_inode_large *in = &inode->disk;
	int r;

	if (inode->ino == EXT2_ROOT_INO) {
		if (!LINUX_S_ISDIR(in->i_mode))
			return bad(inode, "is the root, and no directory", err);
		return check_used(c, inode, err);
	}
	if (inode->ino == EXT2_JOURNAL_INO && c->sb.s_journal_inum) {
		r = check_used(c, inode, err);
		return r < 0 ? r : checking_journal(c, inode, err);
	}
	if (inode->ino == EXT2_RESIZE_INO &&
	    c->sb.s_feature_compat & EXT2_FEATURE_COMPAT_RESIZE_INODE)
		return checking_resize_inode(c, inode, err);
	if (in->i_mode || in->i_links_count || in->i_blocks || in->i_flags ||
	    in->i_uid || in->i_gid || in->osd2.linux2.l_i_blocks_hi ||
	    in->osd2.linux2.l_i_uid_high || in->osd2.linux2.l_i_gid_high ||
	    in->i_dtime || in->i_faddr || size_of(in) || xattr_block_of(in))
		return bad(inode, "is reserved, and in use", err);
	for (size_t i = 0; i < EXT2_N_BLOCKS; i++)
		if (in->i_block[i])
			return bad(inode, "is reserved, and has blocks", err);
	c->kind[inode->ino] = 0;
	return 0;
}

static bool is_zero(const uint8_t *bytes, size_t n)
{
	return !n || (!bytes[0] && memcmp(bytes, bytes + 1, n - 1) == 0);
}

static int check_one(struct checking *c, const struct checking_inode *inode,
		     struct img_err *err)
{
	const struct ext2_inode_large *in = &inode->disk;
	bool marked = c->kind[inode->ino] == CHECKING_IN_USE;
	bool reserved = inode->ino < c->sb.s_first_ino;
	bool in_use = in->i_links_count || reserved;
	int r;

	if (!checksum_is_right(c, inode) &&
	    !is_zero(inode->bytes, c->inode_bytes))
		return bad(inode, "has a wrong checksum", err);
	if (marked != in_use)
		return bad(inode,
			   marked ? "is free, and marked as used"
				  : "is in use, and marked as free",
			   err);
	if (!in_use && in->i_mode && !in->i_dtime)
		return bad(inode, "is free, and was never deleted", err);
	if (!in_use)
		return 0;
	if (reserved)
		return check_reserved(c, inode, err);
	r = check_used(c, inode, err);
	if (r == 0 && inode->ino == c->sb.s_orphan_file_inum)
		r = checking_orphan_file(c, inode, err);
	return r;
}

static uint64_t place_of(const struct checking *c, uint32_t ino,
			 uint32_t *ret_offset)
{
	uint32_t group = (ino - 1) / c->sb.s_inodes_per_group;
	uint32_t at = (ino - 1) % c->sb.s_inodes_per_group * c->inode_bytes;
	const struct ext4_group_desc *d = &c->desc[group];

	*ret_offset = at % c->block_bytes;
	return (d->bg_inode_table | (uint64_t)d->bg_inode_table_hi << 32) +
	       at / c->block_bytes;
}

static void take(const struct checking *c, const uint8_t *block,
		 uint32_t offset, uint32_t ino, struct checking_inode *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->ino = ino;
	memcpy(ret->bytes, block + offset, c->inode_bytes);
	inode_seed(c, ret);
}

int checking_inode_read(const struct checking *c, uint32_t ino,
			struct checking_inode *ret, struct img_err *err)
{
	uint8_t buf[EXT4_CHECK_BLOCK_MAX];
	uint32_t offset;
	uint64_t block = place_of(c, ino, &offset);
	int r = checking_read(c, block, buf, err);

	if (r == 0)
		take(c, buf, offset, ino, ret);
	return r;
}

static int check_group(struct checking *c, uint32_t group, struct img_err *err)
{
	const struct ext4_group_desc *d = &c->desc[group];
	uint32_t n = c->sb.s_inodes_per_group, dirs = 0;
	uint32_t first = group * n + 1;
	uint8_t buf[EXT4_CHECK_BLOCK_MAX];
	struct checking_inode inode;

	n -= d->bg_itable_unused | (uint32_t)d->bg_itable_unused_hi << 16;
	if (d->bg_flags & EXT2_BG_INODE_UNINIT)
		n = 0;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t offset;
		uint64_t block = place_of(c, first + i, &offset);
		int r = offset ? 0 : checking_read(c, block, buf, err);

		if (r < 0)
			return r;
		take(c, buf, offset, first + i, &inode);
		r = check_one(c, &inode, err);
		if (r < 0)
			return r;
		dirs += c->kind[first + i] == LINUX_S_IFDIR >> 12;
	}
	if (dirs !=
	    (d->bg_used_dirs_count | (uint32_t)d->bg_used_dirs_count_hi << 16))
		return checking_bad(err,
				    "group %u has %u directories, and "
				    "says otherwise",
				    group, dirs);
	return 0;
}

int checking_inodes(struct checking *c, struct img_err *err)
{
	/* The root and the journal are where they always are. */
	if (c->desc[0].bg_flags & EXT2_BG_INODE_UNINIT)
		return checking_bad(err, "it has no root");
	for (uint32_t g = 0; g < c->n_groups; g++) {
		int r = check_group(c, g, err);

		if (r < 0)
			return r;
		progress_update(c->progress, g, 0);
		if (progress_is_stopped(c->progress))
			return img_err_set(err, IMG_E_INTERRUPTED, 0,
					   "interrupted");
	}
	return 0;
}
