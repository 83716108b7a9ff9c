#include "base/crc32c.h"
#include "image/ext4_checking.h"

#include <inttypes.h>
#include <string.h>

/* The superblock's own sums of free blocks and inodes are not looked at: the
 * kernel takes them from the groups, and leaves old ones on the disk. */

static bool bit_is_set(const uint8_t *map, uint64_t i)
{
	return map[i / 8] & 1u << (i % 8);
}

/* Checksums of bitmaps have 16 bits where descriptors have 32 bytes. */
static bool csum_differs(const struct checking *c, uint32_t crc, uint16_t low,
			 uint16_t high)
{
	if (c->desc_bytes < EXT2_MIN_DESC_SIZE_64BIT)
		return (uint16_t)crc != low;
	return crc != ((uint32_t)high << 16 | low);
}

/* What is beyond the end of what a bitmap is about is set. */
static int check_padding(const struct checking *c, const uint8_t *map,
			 uint64_t from, const char *what, uint32_t group,
			 struct img_err *err)
{
	for (uint64_t i = from; i < 8 * (uint64_t)c->block_bytes; i++)
		if (!bit_is_set(map, i))
			return checking_bad(err,
					    "the bitmap of %s of group %u has "
					    "free ones beyond its end",
					    what, group);
	return 0;
}

static int read_inode_map(const struct checking *c, uint32_t g, uint8_t *map,
			  struct img_err *err)
{
	const struct ext4_group_desc *d = &c->desc[g];
	uint32_t crc;
	int r;

	if (d->bg_flags & EXT2_BG_INODE_UNINIT) {
		memset(map, 0, c->block_bytes);
		return 0;
	}
	r = checking_read(
		c, d->bg_inode_bitmap | (uint64_t)d->bg_inode_bitmap_hi << 32,
		map, err);
	if (r < 0)
		return r;
	crc = crc32c_update(c->seed, map, c->sb.s_inodes_per_group / 8);
	if (csum_differs(c, crc, d->bg_inode_bitmap_csum_lo,
			 d->bg_inode_bitmap_csum_hi))
		return checking_bad(err,
				    "the checksum of the bitmap of inodes of "
				    "group %u is wrong",
				    g);
	return check_padding(c, map, c->sb.s_inodes_per_group, "inodes", g,
			     err);
}

int checking_inode_bitmaps(struct checking *c, struct img_err *err)
{
	uint32_t per_group = c->sb.s_inodes_per_group;
	uint8_t map[EXT4_CHECK_BLOCK_MAX];

	for (uint32_t g = 0; g < c->n_groups; g++) {
		const struct ext4_group_desc *d = &c->desc[g];
		uint32_t unused = d->bg_itable_unused |
				  (uint32_t)d->bg_itable_unused_hi << 16;
		uint32_t says = d->bg_free_inodes_count |
				(uint32_t)d->bg_free_inodes_count_hi << 16;
		uint32_t free_here = 0;
		int r = read_inode_map(c, g, map, err);

		if (r < 0)
			return r;
		if (unused > per_group)
			return checking_bad(
				err, "group %u has an odd inode table", g);
		for (uint32_t i = 0; i < per_group; i++) {
			if (!bit_is_set(map, i)) {
				free_here++;
				continue;
			}
			if (i >= per_group - unused)
				return checking_bad(err,
						    "group %u has inodes in "
						    "use that are not there",
						    g);
			c->kind[g * per_group + i + 1] = CHECKING_IN_USE;
		}
		if (free_here != says)
			return checking_bad(err,
					    "group %u says %u free inodes and "
					    "has %u",
					    g, says, free_here);
	}
	return 0;
}

/* Blocks of a group of which no bitmap was ever written: the group's own
 * metadata, as far as it is in the group. */
static uint32_t base_blocks(const struct checking *c, uint32_t g)
{
	const struct ext4_group_desc *d = &c->desc[g];
	const struct {
		uint64_t block;
		uint32_t n;
	} own[] = {
		{ d->bg_block_bitmap | (uint64_t)d->bg_block_bitmap_hi << 32,
		  1 },
		{ d->bg_inode_bitmap | (uint64_t)d->bg_inode_bitmap_hi << 32,
		  1 },
		{ d->bg_inode_table | (uint64_t)d->bg_inode_table_hi << 32,
		  c->itable_blocks },
	};
	uint64_t first = checking_group_first(c, g);
	uint32_t n = checking_base(c, g).n;

	for (size_t i = 0; i < IMG_COUNT(own); i++)
		for (uint32_t j = 0; j < own[i].n; j++)
			n += own[i].block + j >= first &&
			     own[i].block + j - first <
				     c->sb.s_blocks_per_group;
	return n;
}

static int check_map(const struct checking *c, uint32_t g, uint32_t n,
		     struct img_err *err)
{
	const struct ext4_group_desc *d = &c->desc[g];
	uint64_t first = checking_group_first(c, g);
	uint8_t map[EXT4_CHECK_BLOCK_MAX];
	uint32_t crc;
	int r = checking_read(
		c, d->bg_block_bitmap | (uint64_t)d->bg_block_bitmap_hi << 32,
		map, err);

	if (r < 0)
		return r;
	crc = crc32c_update(c->seed, map, c->sb.s_clusters_per_group / 8);
	if (csum_differs(c, crc, d->bg_block_bitmap_csum_lo,
			 d->bg_block_bitmap_csum_hi))
		return checking_bad(err,
				    "the checksum of the bitmap of blocks of "
				    "group %u is wrong",
				    g);
	for (uint32_t i = 0; i < n; i++)
		if (bit_is_set(map, i) != bit_is_set(c->used, first + i))
			return checking_bad(
				err, "block %" PRIu64 " is %s", first + i,
				bit_is_set(map, i)
					? "marked as used, and nobody's"
					: "in use, and marked as free");
	return check_padding(c, map, n, "blocks", g, err);
}

int checking_block_bitmaps(struct checking *c, struct img_err *err)
{
	for (uint32_t g = 0; g < c->n_groups; g++) {
		const struct ext4_group_desc *d = &c->desc[g];
		uint64_t first = checking_group_first(c, g);
		uint64_t left = c->n_blocks - first;
		uint32_t n = left < c->sb.s_blocks_per_group
				     ? (uint32_t)left
				     : c->sb.s_blocks_per_group;
		uint32_t says = d->bg_free_blocks_count |
				(uint32_t)d->bg_free_blocks_count_hi << 16;
		uint32_t used = 0;
		int r = 0;

		for (uint32_t i = 0; i < n; i++)
			used += bit_is_set(c->used, first + i);
		if (!(d->bg_flags & EXT2_BG_BLOCK_UNINIT))
			r = check_map(c, g, n, err);
		else if (used != base_blocks(c, g))
			r = checking_bad(err,
					 "group %u has no bitmap, and blocks "
					 "in use",
					 g);
		if (r == 0 && says != n - used)
			r = checking_bad(err,
					 "group %u says %u free blocks and has "
					 "%u",
					 g, says, n - used);
		if (r < 0)
			return r;
	}
	return 0;
}
