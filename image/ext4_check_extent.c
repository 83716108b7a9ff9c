#include "base/crc32c.h"
#include "image/ext4_checking.h"

#include <inttypes.h>
#include <string.h>

#define DEPTH_MAX 5u
/* No block of a file has a number above this one's. */
#define LOGICAL_END UINT32_MAX

struct walk {
	struct checking *c;
	const struct checking_inode *inode;
	bool claim;
	checking_extent_fn *fn;
	void *self;
	uint64_t n_tree;
	uint32_t next; /* the lowest number that may come */
};

struct node {
	const uint8_t *bytes;
	uint32_t size_bytes;
	uint32_t depth;
	uint32_t begin, end; /* of the numbers below it */
	bool is_root;
};

static int broken(const struct walk *w, const char *what, struct img_err *err)
{
	return checking_bad(err, "inode %u has a broken extent tree: %s",
			    w->inode->ino, what);
}

static int leaf(struct walk *w, const struct node *node, uint32_t n,
		struct img_err *err)
{
	for (uint32_t i = 0; i < n; i++) {
		struct checking_extent extent;
		struct ext3_extent e;
		int r = 0;

		memcpy(&e, node->bytes + 12 * (i + 1), sizeof(e));
		extent = (struct checking_extent){
			.logical = e.ee_block,
			.n = e.ee_len,
			.block = e.ee_start | (uint64_t)e.ee_start_hi << 32,
			.written = e.ee_len <= EXT_INIT_MAX_LEN,
		};
		if (!extent.written)
			extent.n -= EXT_INIT_MAX_LEN;
		if (!extent.n || extent.logical < w->next ||
		    extent.logical >= node->end ||
		    extent.n > node->end - extent.logical)
			return broken(w, "extents out of order", err);
		if (i == 0 && !node->is_root && extent.logical != node->begin)
			return broken(w, "a wrong index", err);
		w->next = extent.logical + extent.n;
		if (w->claim)
			r = checking_claim(w->c, extent.block, extent.n,
					   w->inode->ino, err);
		if (r == 0)
			r = w->fn(w->self, &extent, err);
		if (r != 0)
			return r;
	}
	return 0;
}

static int walk_node(struct walk *w, const struct node *node,
		     struct img_err *err);

static int child(struct walk *w, const struct ext3_extent_idx *idx,
		 uint32_t depth, uint32_t end, struct img_err *err)
{
	uint64_t block = idx->ei_leaf | (uint64_t)idx->ei_leaf_hi << 32;
	uint8_t buf[EXT4_CHECK_BLOCK_MAX];
	struct node node = {
		.bytes = buf,
		.size_bytes = w->c->block_bytes,
		.depth = depth,
		.begin = idx->ei_block,
		.end = end,
	};
	uint32_t tail = 12 + (node.size_bytes - 12) / 12 * 12, crc;
	int r = 0;

	if (w->claim)
		r = checking_claim(w->c, block, 1, w->inode->ino, err);
	if (r == 0)
		r = checking_read(w->c, block, buf, err);
	if (r < 0)
		return r;
	w->n_tree++;
	memcpy(&crc, buf + tail, sizeof(crc));
	if (crc != crc32c_update(w->inode->seed, buf, tail))
		return broken(w, "a wrong checksum", err);
	return walk_node(w, &node, err);
}

/* Recursion is as deep as the tree may be: DEPTH_MAX. */
static int walk_node(struct walk *w, const struct node *node,
		     struct img_err *err)
{
	struct ext3_extent_header h;

	memcpy(&h, node->bytes, sizeof(h));
	if (h.eh_magic != EXT3_EXT_MAGIC || h.eh_depth != node->depth ||
	    h.eh_max != (node->size_bytes - 12) / 12 ||
	    h.eh_entries > h.eh_max ||
	    (!h.eh_entries && (!node->is_root || h.eh_depth)))
		return broken(w, "a wrong header", err);
	if (!h.eh_depth)
		return leaf(w, node, h.eh_entries, err);
	for (uint32_t i = 0; i < h.eh_entries; i++) {
		struct ext3_extent_idx idx, next;
		uint32_t end = node->end;
		int r;

		memcpy(&idx, node->bytes + 12 * (i + 1), sizeof(idx));
		if (i + 1u < h.eh_entries) {
			memcpy(&next, node->bytes + 12 * (i + 2), sizeof(next));
			end = next.ei_block;
		}
		if (idx.ei_block < w->next || idx.ei_block >= end ||
		    end > node->end ||
		    (i == 0 && !node->is_root && idx.ei_block != node->begin))
			return broken(w, "indexes out of order", err);
		r = child(w, &idx, h.eh_depth - 1u, end, err);
		if (r != 0)
			return r;
	}
	return 0;
}

int checking_extents(struct checking *c, const struct checking_inode *inode,
		     bool claim, checking_extent_fn *fn, void *self,
		     uint64_t *ret_n_tree, struct img_err *err)
{
	struct walk w = {
		.c = c, .inode = inode, .claim = claim, .fn = fn, .self = self
	};
	struct node root = {
		.bytes = (const uint8_t *)inode->disk.i_block,
		.size_bytes = sizeof(inode->disk.i_block),
		.end = LOGICAL_END,
		.is_root = true,
	};
	struct ext3_extent_header h;
	int r;

	memcpy(&h, root.bytes, sizeof(h));
	root.depth = h.eh_depth;
	if (root.depth > DEPTH_MAX)
		return broken(&w, "it is too deep", err);
	r = walk_node(&w, &root, err);
	*ret_n_tree = w.n_tree;
	return r;
}
