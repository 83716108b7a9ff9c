#include "base/crc32c.h"
#include "image/ext4_checking.h"

#include <string.h>

/* Where the entries of an index begin: in the root behind "." and "..". */
#define ROOT_INFO    24u
#define ROOT_ENTRIES 32u
#define NODE_ENTRIES 8u
#define BLOCK_MASK   0x0fffffffu
#define LEVELS_MAX   1u

struct index {
	const struct checking *c;
	const struct checking_inode *dir;
	const uint64_t *blocks;
	uint32_t n;
	struct checking_leaf *ret;
};

static int broken(const struct index *x, struct img_err *err)
{
	return checking_bad(err, "the directory %u has a broken hash tree",
			    x->dir->ino);
}

static bool checksum_is_right(const struct index *x, const uint8_t *block,
			      uint32_t entries, uint32_t limit, uint32_t count)
{
	const struct {
		uint32_t reserved, checksum;
	} zero = { 0 };
	uint32_t crc, tail[2];

	memcpy(tail, block + entries + limit * 8, sizeof(tail));
	crc = crc32c_update(x->dir->seed, block, entries + count * 8);
	crc = crc32c_update(crc, &tail[0], sizeof(tail[0]));
	crc = crc32c_update(crc, &zero.checksum, sizeof(zero.checksum));
	return crc == tail[1];
}

static int walk(struct index *x, const uint8_t *block, uint32_t entries,
		unsigned levels, uint32_t low, uint32_t high,
		struct img_err *err);

static int enter(struct index *x, uint32_t at, unsigned levels, uint32_t low,
		 uint32_t high, struct img_err *err)
{
	uint8_t buf[EXT4_CHECK_BLOCK_MAX];
	struct {
		uint32_t inode;
		uint16_t rec_len, name_len;
	} head;
	int r;

	if (!at || at >= x->n || x->ret[at].what != HTREE_UNSEEN || low > high)
		return broken(x, err);
	if (!levels) {
		x->ret[at] = (struct checking_leaf){ HTREE_LEAF, low, high };
		return 0;
	}
	x->ret[at].what = HTREE_INDEX;
	r = checking_read(x->c, x->blocks[at], buf, err);
	if (r < 0)
		return r;
	memcpy(&head, buf, sizeof(head));
	if (head.inode || head.rec_len != x->c->block_bytes || head.name_len)
		return broken(x, err);
	return walk(x, buf, NODE_ENTRIES, levels - 1, low, high, err);
}

/* Each entry is a hash and a block; the first one's hash is the parent's, its
 * place has limit and count.  A hash with its lowest bit set goes on with what
 * is in the block before. */
static int walk(struct index *x, const uint8_t *block, uint32_t entries,
		unsigned levels, uint32_t low, uint32_t high,
		struct img_err *err)
{
	uint32_t room = (x->c->block_bytes - entries) / 8 - 1;
	struct {
		uint16_t limit, count;
	} head;
	uint32_t hash = low;

	memcpy(&head, block + entries, sizeof(head));
	if (head.limit != room || !head.count || head.count > room ||
	    !checksum_is_right(x, block, entries, room, head.count))
		return broken(x, err);
	for (uint32_t i = 0; i < head.count; i++) {
		uint32_t next = high, own[2], after = 0;
		int r;

		memcpy(own, block + entries + i * 8, sizeof(own));
		if (i + 1u < head.count) {
			memcpy(&after, block + entries + (i + 1) * 8,
			       sizeof(after));
			if ((after & ~1u) < hash || (after & ~1u) > high ||
			    (!(after & 1) && after < 2))
				return broken(x, err);
			next = after & 1 ? after & ~1u : after - 2;
		}
		r = enter(x, own[1] & BLOCK_MASK, levels, hash, next, err);
		if (r < 0)
			return r;
		if (i + 1u < head.count)
			hash = after & ~1u;
	}
	return 0;
}

int checking_htree(const struct checking *c, const struct checking_inode *dir,
		   const uint64_t *blocks, uint32_t n,
		   struct checking_leaf *ret, int *ret_hash_version,
		   struct img_err *err)
{
	struct index x = { c, dir, blocks, n, ret };
	uint8_t buf[EXT4_CHECK_BLOCK_MAX];
	struct ext2_dx_root_info info;
	int r = checking_read(c, blocks[0], buf, err);

	if (r < 0)
		return r;
	memcpy(&info, buf + ROOT_INFO, sizeof(info));
	if (info.reserved_zero || info.info_length != sizeof(info) ||
	    info.hash_version > EXT2_HASH_TEA ||
	    info.indirect_levels > LEVELS_MAX || info.unused_flags)
		return broken(&x, err);
	*ret_hash_version = info.hash_version;
	if (c->sb.s_flags & EXT2_FLAGS_UNSIGNED_HASH)
		*ret_hash_version += EXT2_HASH_LEGACY_UNSIGNED;
	ret[0].what = HTREE_INDEX;
	r = walk(&x, buf, ROOT_ENTRIES, info.indirect_levels, 0, UINT32_MAX,
		 err);
	for (uint32_t i = 0; r == 0 && i < n; i++)
		if (ret[i].what == HTREE_UNSEEN)
			r = broken(&x, err);
	return r;
}
