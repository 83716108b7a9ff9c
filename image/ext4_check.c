#include "image/ext4_check.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/num.h"
#include "base/str.h"
#include "image/ext4_checking.h"

#include <inttypes.h>
#include <string.h>

bool ext4_peek(const uint8_t bytes[EXT4_PEEK_BYTES])
{
	struct ext2_super_block sb;

	memcpy(&sb, bytes + SUPERBLOCK_OFFSET, sizeof(sb));
	return sb.s_magic == EXT2_SUPER_MAGIC && sb.s_log_block_size <= 6 &&
	       sb.s_first_data_block <= 1;
}

uint64_t ext4_peek_size(const uint8_t bytes[EXT4_PEEK_BYTES])
{
	struct ext2_super_block sb;
	uint64_t size = UINT64_MAX;

	memcpy(&sb, bytes + SUPERBLOCK_OFFSET, sizeof(sb));
	(void)num_mul_overflows(ext2fs_blocks_count(&sb),
				UINT64_C(1024) << sb.s_log_block_size, &size);
	return size;
}

int checking_read(const struct checking *c, uint64_t block, void *buf,
		  struct img_err *err)
{
	if (block >= c->n_blocks)
		return checking_bad(err, "block %" PRIu64 " is out of range",
				    block);
	return file_pread(c->fd, buf, c->block_bytes, block * c->block_bytes,
			  "the file system", err);
}

int checking_claim(struct checking *c, uint64_t block, uint64_t n, uint32_t ino,
		   struct img_err *err)
{
	if (block < c->sb.s_first_data_block || n > c->n_blocks ||
	    block > c->n_blocks - n)
		return checking_bad(err,
				    "inode %u has blocks out of range: %" PRIu64
				    " from %" PRIu64,
				    ino, n, block);
	for (uint64_t i = block; i < block + n; i++) {
		uint8_t bit = (uint8_t)(1u << (i % 8));

		if (c->used[i / 8] & bit)
			return checking_bad(err,
					    "block %" PRIu64 " is used twice, "
					    "by inode %u the second time",
					    i, ino);
		c->used[i / 8] |= bit;
	}
	return 0;
}

static bool is_power(uint32_t n, uint32_t base)
{
	while (n > 1 && n % base == 0)
		n /= base;
	return n == 1;
}

bool checking_has_super(uint32_t group)
{
	return group <= 1 || is_power(group, 3) || is_power(group, 5) ||
	       is_power(group, 7);
}

uint64_t checking_group_first(const struct checking *c, uint32_t group)
{
	return c->sb.s_first_data_block +
	       (uint64_t)group * c->sb.s_blocks_per_group;
}

static bool is_meta_bg(const struct checking *c, uint32_t desc_block)
{
	return c->sb.s_feature_incompat & EXT2_FEATURE_INCOMPAT_META_BG &&
	       desc_block >= c->sb.s_first_meta_bg;
}

/* With meta_bg, from a certain group on, a block of descriptors lies in the
 * first of the groups that it describes, and once more in the second and the
 * last of them. */
struct checking_base checking_base(const struct checking *c, uint32_t group)
{
	uint32_t a_block = c->block_bytes / c->desc_bytes;
	bool has_super = checking_has_super(group);
	uint32_t at = group % a_block;
	struct checking_base base = { .n = has_super };

	if (!is_meta_bg(c, group / a_block)) {
		if (has_super &&
		    c->sb.s_feature_incompat & EXT2_FEATURE_INCOMPAT_META_BG)
			base.n += c->sb.s_first_meta_bg;
		else if (has_super)
			base.n += c->desc_blocks + c->sb.s_reserved_gdt_blocks;
	} else if (at <= 1 || at == a_block - 1) {
		base.desc = checking_group_first(c, group) + has_super;
		base.n++;
	}
	return base;
}

uint64_t checking_desc_block(const struct checking *c, uint32_t n)
{
	uint32_t group = n * (c->block_bytes / c->desc_bytes);

	return is_meta_bg(c, n) ? checking_base(c, group).desc
				: c->sb.s_first_data_block + 1 + (uint64_t)n;
}

static void checking_release(struct checking *c)
{
	free(c->desc);
	free(c->used);
	free(c->kind);
	free(c->links);
	free(c->names);
	free(c->xattr_blocks);
}

/* Directories were counted when they were walked. */
static int check_links(struct checking *c, struct img_err *err)
{
	for (uint32_t ino = c->sb.s_first_ino; ino <= c->sb.s_inodes_count;
	     ino++) {
		if (!c->kind[ino] || ino == c->sb.s_orphan_file_inum)
			continue;
		if (!c->names[ino])
			return checking_bad(err, "inode %u is in no directory",
					    ino);
		if (c->kind[ino] != LINUX_S_IFDIR >> 12 &&
		    c->names[ino] != c->links[ino])
			return checking_bad(err,
					    "inode %u says %u links and has %u",
					    ino, c->links[ino], c->names[ino]);
	}
	return 0;
}

int ext4_check(int fd, uint64_t size_bytes, const struct progress *progress,
	       struct img_err *err)
{
	img_auto(checking_release) struct checking c = {
		.fd = fd,
		.size_bytes = size_bytes,
		.progress = progress,
	};
	uint64_t n_inodes;
	int r = checking_super(&c, err);

	if (r < 0)
		return r;
	n_inodes = (uint64_t)c.sb.s_inodes_count + 1;
	c.used = mem_zalloc(c.n_blocks / 8 + 1);
	c.kind = mem_zalloc(n_inodes);
	c.links = mem_zalloc(n_inodes * sizeof(*c.links));
	c.names = mem_zalloc(n_inodes * sizeof(*c.names));
	r = checking_groups(&c, err);
	if (r == 0)
		r = checking_inode_bitmaps(&c, err);
	if (r == 0)
		r = checking_inodes(&c, err);
	if (r == 0)
		r = checking_xattr_blocks(&c, err);
	if (r == 0)
		r = checking_directories(&c, err);
	if (r == 0)
		r = check_links(&c, err);
	return r < 0 ? r : checking_block_bitmaps(&c, err);
}
