#include "image/ext4_used.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "image/ext4_checking.h"

/* What precedes the first group: a boot block, in blocks of 1 KiB. */
#define HEAD_BYTES 4096u

struct ext4_used {
	struct checking c;
};

/* Inodes of a group that were never used are zeroes, whatever is there. */
static void leave_out_unused(struct checking *c, uint32_t group)
{
	const struct ext4_group_desc *d = &c->desc[group];
	uint64_t table = d->bg_inode_table | (uint64_t)d->bg_inode_table_hi
						     << 32;
	uint32_t n = c->sb.s_inodes_per_group, first;

	n -= d->bg_itable_unused | (uint32_t)d->bg_itable_unused_hi << 16;
	if (d->bg_flags & EXT2_BG_INODE_UNINIT)
		n = 0;
	first = (n * c->inode_bytes + c->block_bytes - 1) / c->block_bytes;
	for (uint64_t i = table + first; i < table + c->itable_blocks; i++)
		c->used[i / 8] &= (uint8_t) ~(1u << (i % 8));
}

static int add_group(struct checking *c, uint32_t group, struct img_err *err)
{
	const struct ext4_group_desc *d = &c->desc[group];
	uint64_t first = checking_group_first(c, group);
	uint64_t left = c->n_blocks - first;
	uint8_t map[EXT4_CHECK_BLOCK_MAX];
	int r;

	if (d->bg_flags & EXT2_BG_BLOCK_UNINIT)
		return 0; /* its own metadata, which is claimed */
	r = checking_read(
		c, d->bg_block_bitmap | (uint64_t)d->bg_block_bitmap_hi << 32,
		map, err);
	if (r < 0)
		return r;
	if (left > c->sb.s_blocks_per_group)
		left = c->sb.s_blocks_per_group;
	for (uint64_t i = 0; i < left; i++)
		if (map[i / 8] & 1u << (i % 8))
			c->used[(first + i) / 8] |=
				(uint8_t)(1u << ((first + i) % 8));
	return 0;
}

int ext4_used_open(int fd, uint64_t size_bytes, struct ext4_used **ret,
		   struct img_err *err)
{
	img_auto(ext4_used_free) struct ext4_used *used =
		mem_zalloc(sizeof(*used));
	struct checking *c = &used->c;
	int r;

	c->fd = fd;
	c->size_bytes = size_bytes;
	r = checking_super(c, err);
	if (r < 0)
		return r;
	c->used = mem_zalloc(c->n_blocks / 8 + 1);
	r = checking_groups(c, err);
	for (uint32_t g = 0; r == 0 && g < c->n_groups; g++)
		r = add_group(c, g, err);
	if (r < 0)
		return r;
	for (uint32_t g = 0; g < c->n_groups; g++)
		leave_out_unused(c, g);
	*ret = img_mem_take(&used);
	return 0;
}

void ext4_used_free(struct ext4_used **used)
{
	if (!*used)
		return;
	free((*used)->c.desc);
	free((*used)->c.used);
	img_mem_release(used);
}

int ext4_used_each(const struct ext4_used *used,
		   int (*fn)(void *self, uint64_t begin, uint64_t end,
			     struct img_err *err),
		   void *self, struct img_err *err)
{
	const struct checking *c = &used->c;
	uint64_t bytes = c->block_bytes, begin = 0, i = 0;
	int r = 0;

	while (r == 0 && i < c->n_blocks) {
		for (; i < c->n_blocks && i * bytes >= HEAD_BYTES; i++)
			if (c->used[i / 8] & 1u << (i % 8))
				break;
		begin = i;
		for (; i < c->n_blocks; i++)
			if (!(c->used[i / 8] & 1u << (i % 8)) &&
			    i * bytes >= HEAD_BYTES)
				break;
		if (begin < i)
			r = fn(self, begin * bytes, i * bytes, err);
	}
	return r;
}
