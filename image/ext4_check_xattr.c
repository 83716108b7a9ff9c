#include "base/crc32c.h"
#include "image/ext4_checking.h"

#include <ext2fs/ext2_ext_attr.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* What precedes attributes in an inode: the same magic, and nothing else. */
#define INODE_HEADER_BYTES 4u
#define NAME_INDEX_MAX	   7u

/* A region of attributes: entries from its start, values up to its end. */
struct region {
	const uint8_t *bytes;	/* where the entries begin */
	const uint8_t *values;	/* what the offsets of values count from */
	uint32_t size_bytes;	/* from bytes on */
	uint32_t values_before; /* of bytes: bytes - values */
	bool may_lack_hash;
};

/* 1 and the next entry, 0 at the end. */
static int next_entry(const struct region *g, uint32_t *at,
		      struct ext2_ext_attr_entry *ret)
{
	uint32_t word;

	if (g->size_bytes - *at < sizeof(word))
		return -1;
	memcpy(&word, g->bytes + *at, sizeof(word));
	if (!word)
		return 0;
	if (g->size_bytes - *at < sizeof(*ret))
		return -1;
	memcpy(ret, g->bytes + *at, sizeof(*ret));
	if (g->size_bytes - *at < EXT2_EXT_ATTR_LEN(ret->e_name_len) + 4u)
		return -1;
	return 1;
}

/* libext2fs wants an entry with its name, and the value, in one piece and
 * aligned. */
static bool hash_is_right(const struct region *g, uint32_t at,
			  const struct ext2_ext_attr_entry *e)
{
	union {
		struct ext2_ext_attr_entry entry;
		uint32_t words[(sizeof(*e) + 256) / 4];
	} copy = { 0 };
	uint32_t value[EXT4_CHECK_BLOCK_MAX / 4 + 1] = { 0 };

	memcpy(copy.words, g->bytes + at, sizeof(*e) + e->e_name_len);
	memcpy(value, g->values + e->e_value_offs,
	       EXT2_EXT_ATTR_SIZE(e->e_value_size));
	return (!e->e_hash && g->may_lack_hash) ||
	       ext2fs_ext_attr_hash_entry(&copy.entry, value) == e->e_hash ||
	       ext2fs_ext_attr_hash_entry_signed(&copy.entry, value) ==
		       e->e_hash;
}

/* The value lies between the entries and the end, and on nobody else's. */
static bool claim_value(const struct region *g, uint32_t entries_end,
			const struct ext2_ext_attr_entry *e, uint8_t *taken)
{
	uint32_t size = EXT2_EXT_ATTR_SIZE(e->e_value_size), at;

	if (e->e_value_inum || e->e_value_size > g->size_bytes ||
	    e->e_value_offs % 4)
		return false;
	if (!size)
		return true;
	if (e->e_value_offs < g->values_before + entries_end)
		return false;
	at = e->e_value_offs - g->values_before;
	if (at > g->size_bytes || size > g->size_bytes - at)
		return false;
	for (uint32_t i = 0; i < size; i++)
		if (taken[at + i]++)
			return false;
	return true;
}

static bool region_is_sound(const struct region *g)
{
	uint8_t taken[EXT4_CHECK_BLOCK_MAX] = { 0 };
	struct ext2_ext_attr_entry e;
	uint32_t at = 0, end;
	int r;

	while ((r = next_entry(g, &at, &e)) > 0)
		at += (uint32_t)EXT2_EXT_ATTR_LEN(e.e_name_len);
	if (r < 0)
		return false;
	end = at + 4;
	for (at = 0; at + 4 < end;
	     at += (uint32_t)EXT2_EXT_ATTR_LEN(e.e_name_len)) {
		memcpy(&e, g->bytes + at, sizeof(e));
		if (!e.e_name_index || e.e_name_index > NAME_INDEX_MAX ||
		    memchr(g->bytes + at + sizeof(e), 0, e.e_name_len) ||
		    !claim_value(g, end, &e, taken) ||
		    (e.e_value_size && !hash_is_right(g, at, &e)))
			return false;
	}
	return true;
}

int checking_inode_xattrs(const struct checking *c,
			  const struct checking_inode *inode,
			  struct img_err *err)
{
	uint32_t begin = EXT2_GOOD_OLD_INODE_SIZE + inode->disk.i_extra_isize;
	struct region g = { .may_lack_hash = true };
	uint32_t magic;

	if (c->inode_bytes - begin < INODE_HEADER_BYTES)
		return 0;
	memcpy(&magic, inode->bytes + begin, sizeof(magic));
	if (magic != EXT2_EXT_ATTR_MAGIC)
		return 0; /* there are none */
	g.bytes = g.values = inode->bytes + begin + INODE_HEADER_BYTES;
	g.size_bytes = c->inode_bytes - begin - INODE_HEADER_BYTES;
	if (!region_is_sound(&g))
		return checking_bad(err, "inode %u has broken attributes",
				    inode->ino);
	return 0;
}

static int check_block(struct checking *c, uint64_t block, uint32_t refs,
		       struct img_err *err)
{
	uint32_t buf[EXT4_CHECK_BLOCK_MAX / 4];
	const uint8_t *bytes = (const uint8_t *)buf;
	struct ext2_ext_attr_header h;
	struct region g = {
		.bytes = bytes + sizeof(h),
		.values = bytes,
		.size_bytes = c->block_bytes - (uint32_t)sizeof(h),
		.values_before = sizeof(h),
	};
	uint32_t crc;
	int r = checking_claim(c, block, 1, 0, err);

	if (r == 0)
		r = checking_read(c, block, buf, err);
	if (r < 0)
		return r;
	memcpy(&h, buf, sizeof(h));
	buf[offsetof(struct ext2_ext_attr_header, h_checksum) / 4] = 0;
	crc = crc32c_update(c->seed, &block, sizeof(block));
	crc = crc32c_update(crc, buf, c->block_bytes);
	if (h.h_magic != EXT2_EXT_ATTR_MAGIC || h.h_blocks != 1 ||
	    h.h_refcount != refs || h.h_refcount > EXT2_EXT_ATTR_REFCOUNT_MAX ||
	    h.h_checksum != crc || !region_is_sound(&g))
		return checking_bad(err,
				    "the attributes in block %" PRIu64
				    " are broken",
				    block);
	return 0;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

int checking_xattr_blocks(struct checking *c, struct img_err *err)
{
	const uint64_t *list = c->xattr_blocks;
	size_t n;

	if (c->n_xattr_blocks)
		qsort(c->xattr_blocks, c->n_xattr_blocks, sizeof(*list),
		      compare);
	for (size_t i = 0; i < c->n_xattr_blocks; i += n) {
		int r;

		for (n = 1; i + n < c->n_xattr_blocks; n++)
			if (list[i + n] != list[i])
				break;
		r = check_block(c, list[i], (uint32_t)n, err);
		if (r < 0)
			return r;
	}
	return 0;
}
