#include "base/crc32c.h"
#include "image/ext4_checking.h"

#include <endian.h>
#include <stddef.h>
#include <string.h>

/* Of the journal: the kernel's include/linux/jbd2.h, big-endian. */
#define JOURNAL_MAGIC	  0xc03b3998u
#define JOURNAL_SUPER_V2  4u
#define JOURNAL_KNOWN	  0x1bu /* revoke, 64bit, csum v2, csum v3 */
#define JOURNAL_CSUM	  0x18u
#define JOURNAL_CSUM_TYPE 4u /* crc32c */
#define JOURNAL_BYTES	  1024u

enum { /* words of the journal's superblock */
       J_MAGIC = 0,
       J_KIND = 1,
       J_BLOCK_BYTES = 3,
       J_BLOCKS = 4,
       J_FIRST = 5,
       J_START = 7,
       J_ERRNO = 8,
       J_COMPAT = 9,
       J_INCOMPAT = 10,
       J_RO_COMPAT = 11,
       J_USERS = 16,
       J_CSUM_TYPE = 20, /* in its upper byte */
       J_CHECKSUM = 63,
};

#define ORPHAN_MAGIC 0x0b10ca04u

struct blocks {
	struct checking *c;
	const struct checking_inode *inode;
	uint64_t first, n;
	bool gap;
};

static int add_extent(void *self, const struct checking_extent *extent,
		      struct img_err *err)
{
	struct blocks *b = self;

	if (!extent->written || extent->logical != b->n)
		b->gap = true;
	if (!b->n)
		b->first = extent->block;
	b->n += extent->n;
	return 0;
}

static int bad_journal(struct img_err *err)
{
	return checking_bad(err, "its journal is broken");
}

int checking_journal(struct checking *c, const struct checking_inode *inode,
		     struct img_err *err)
{
	struct blocks b = { .c = c, .inode = inode };
	uint32_t words[EXT4_CHECK_BLOCK_MAX / 4], raw;
	uint64_t n_tree;
	int r = checking_extents(c, inode, false, add_extent, &b, &n_tree, err);

	if (r < 0)
		return r;
	if (b.gap || !b.n || !LINUX_S_ISREG(inode->disk.i_mode) ||
	    inode->disk.i_links_count != 1 ||
	    (inode->disk.i_size | (uint64_t)inode->disk.i_size_high << 32) !=
		    b.n * c->block_bytes)
		return bad_journal(err);
	r = checking_read(c, b.first, words, err);
	if (r < 0)
		return r;
	raw = words[J_CHECKSUM];
	words[J_CHECKSUM] = 0;
	if (be32toh(words[J_INCOMPAT]) & JOURNAL_CSUM &&
	    (be32toh(words[J_CSUM_TYPE]) >> 24 != JOURNAL_CSUM_TYPE ||
	     be32toh(raw) != crc32c_update(UINT32_MAX, words, JOURNAL_BYTES)))
		return bad_journal(err);
	if (be32toh(words[J_MAGIC]) != JOURNAL_MAGIC ||
	    be32toh(words[J_KIND]) != JOURNAL_SUPER_V2 ||
	    be32toh(words[J_BLOCK_BYTES]) != c->block_bytes ||
	    be32toh(words[J_BLOCKS]) != b.n || !words[J_FIRST] ||
	    be32toh(words[J_FIRST]) >= b.n || words[J_ERRNO] ||
	    words[J_COMPAT] || be32toh(words[J_INCOMPAT]) & ~JOURNAL_KNOWN ||
	    words[J_RO_COMPAT] || be32toh(words[J_USERS]) > 1)
		return bad_journal(err);
	if (words[J_START])
		return img_err_set(err, IMG_E_UNSUPPORTED, 0,
				   "its journal was not replayed: run 'e2fsck "
				   "-p' on it first");
	return 0;
}

/* One of the blocks behind the descriptors, which list their own copies. */
static int check_reserved(struct checking *c, uint64_t block,
			  struct img_err *err)
{
	uint32_t list[EXT4_CHECK_BLOCK_MAX / 4];
	uint32_t at = 0;
	int r = checking_read(c, block, list, err);

	if (r < 0)
		return r;
	for (uint32_t g = 1; g < c->n_groups; g++)
		if (checking_has_super(g) &&
		    (at == c->block_bytes / 4 ||
		     list[at++] !=
			     block + (uint64_t)g * c->sb.s_blocks_per_group))
			return checking_bad(err, "its inode for resizing is "
						 "broken");
	while (at < c->block_bytes / 4)
		if (list[at++])
			return checking_bad(err, "its inode for resizing is "
						 "broken");
	return 0;
}

/* Its blocks are claimed with the groups, but for the one that lists them. */
int checking_resize_inode(struct checking *c,
			  const struct checking_inode *inode,
			  struct img_err *err)
{
	const struct ext2_inode_large *in = &inode->disk;
	uint64_t dind = in->i_block[EXT2_DIND_BLOCK];
	uint64_t begin = c->sb.s_first_data_block + 1 + c->desc_blocks;
	uint32_t list[EXT4_CHECK_BLOCK_MAX / 4];
	uint32_t a_block = c->block_bytes / 4;
	uint32_t n = c->sb.s_reserved_gdt_blocks;
	uint64_t copies = 0;
	bool is_odd = !LINUX_S_ISREG(in->i_mode) || in->i_links_count != 1 ||
		      in->i_flags || in->i_file_acl ||
		      in->osd2.linux2.l_i_file_acl_high;
	int r;

	is_odd |= (in->i_size | (uint64_t)in->i_size_high << 32) !=
		  (EXT2_NDIR_BLOCKS + a_block + (uint64_t)a_block * a_block) *
			  c->block_bytes;
	for (uint32_t g = 0; g < c->n_groups; g++)
		copies += checking_has_super(g);
	is_odd |= in->osd2.linux2.l_i_blocks_hi || in->i_dtime || in->i_faddr ||
		  in->i_blocks !=
			  (dind ? 1 + n * copies : 0) * (c->block_bytes / 512);
	for (size_t i = 0; i < EXT2_N_BLOCKS; i++)
		is_odd |= i != EXT2_DIND_BLOCK && in->i_block[i];
	if (is_odd)
		return checking_bad(err, "its inode for resizing is odd");
	c->kind[inode->ino] = LINUX_S_IFREG >> 12;
	if (!dind && !n)
		return 0;
	r = checking_claim(c, dind, 1, inode->ino, err);
	if (r == 0)
		r = checking_read(c, dind, list, err);
	for (uint32_t i = 0; r == 0 && i < n; i++) {
		uint32_t *place = &list[(c->desc_blocks + i) % a_block];

		if (*place != begin + i)
			return checking_bad(err, "its inode for resizing lists "
						 "other blocks");
		*place = 0;
		r = check_reserved(c, begin + i, err);
	}
	for (uint32_t i = 0; r == 0 && i < a_block; i++)
		if (list[i])
			return checking_bad(err, "its inode for resizing lists "
						 "more blocks");
	return r;
}

static int check_orphans(void *self, const struct checking_extent *extent,
			 struct img_err *err)
{
	struct blocks *b = self;
	uint32_t n = b->c->block_bytes / 4;
	uint32_t words[EXT4_CHECK_BLOCK_MAX / 4];

	(void)add_extent(b, extent, err); /* cannot fail */
	for (uint64_t i = 0; i < extent->n; i++) {
		uint64_t block = extent->block + i;
		uint32_t crc;
		int r = checking_read(b->c, block, words, err);

		if (r < 0)
			return r;
		crc = crc32c_update(b->inode->seed, &block, sizeof(block));
		crc = crc32c_update(crc, words, 4 * (size_t)(n - 2));
		for (uint32_t j = 0; j < n - 2; j++)
			if (words[j])
				return checking_bad(err, "it has orphans");
		if (words[n - 2] != ORPHAN_MAGIC || words[n - 1] != crc)
			return checking_bad(err,
					    "its file of orphans is broken");
	}
	return 0;
}

int checking_orphan_file(struct checking *c, const struct checking_inode *inode,
			 struct img_err *err)
{
	struct blocks b = { .c = c, .inode = inode };
	uint64_t n_tree;
	int r = checking_extents(c, inode, false, check_orphans, &b, &n_tree,
				 err);

	if (r < 0)
		return r;
	if (b.gap || !b.n || !LINUX_S_ISREG(inode->disk.i_mode) ||
	    inode->disk.i_size != b.n * c->block_bytes)
		return checking_bad(err, "its file of orphans is odd");
	return 0;
}
