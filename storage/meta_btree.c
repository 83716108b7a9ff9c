#include "storage/meta_btree.h"

#include "base/cleanup.h"

#include <endian.h>
#include <inttypes.h>
#include <string.h>

static bool node_is_leaf(const struct meta_disk_node *node)
{
	return le32toh(node->head.flags) == META_NODE_LEAF;
}

static const void *node_value(const struct meta_disk_node *node, uint32_t i)
{
	const uint8_t *values =
		(const uint8_t *)(node->keys + le32toh(node->max_entries));

	return values + (size_t)i * le32toh(node->value_bytes);
}

static uint64_t node_child(const struct meta_disk_node *node, uint32_t i)
{
	uint64_t raw;

	memcpy(&raw, node_value(node, i), sizeof(raw));
	return le64toh(raw);
}

/* The greatest key that child @i may hold in a node that may hold @last. */
static uint64_t child_last(const struct meta_disk_node *node, uint32_t i,
			   uint64_t last)
{
	if (i + 1 < le32toh(node->nr_entries))
		return le64toh(node->keys[i + 1]) - 1;
	return last;
}

/* Pins a node of @tree whose keys must lie between @first and @last: as these
 * shrink on the way down, a tree that is tied in a loop is found out. */
static int pin_node(struct meta_cache *cache, const struct meta_tree *tree,
		    uint64_t block, uint64_t first, uint64_t last,
		    struct meta_pin *pin, struct img_err *err)
{
	const struct meta_disk_node *node;
	uint32_t nr, value_bytes;
	int r = meta_block_pin(cache, block, META_NODE, pin, err);

	if (r < 0)
		return img_err_prefix(err, "%s", tree->what);
	node = pin->node;
	nr = le32toh(node->nr_entries);
	value_bytes = node_is_leaf(node) ? tree->value_bytes : sizeof(uint64_t);
	if (le32toh(node->value_bytes) != value_bytes)
		r = meta_block_bad(cache, block, err, "is no node of the %s",
				   tree->what);
	else if (nr && (le64toh(node->keys[0]) < first ||
			le64toh(node->keys[nr - 1]) > last))
		r = meta_block_bad(cache, block, err,
				   "has keys of elsewhere in the %s",
				   tree->what);
	if (r < 0)
		meta_pin_release(pin);
	return r;
}

static int too_deep(struct meta_cache *cache, const struct meta_tree *tree,
		    uint64_t block, struct img_err *err)
{
	return meta_block_bad(cache, block, err, "makes the %s too deep",
			      tree->what);
}

/* Index of the last key that is not greater, or -1. */
static int64_t node_search(const struct meta_disk_node *node, uint64_t key)
{
	int64_t low = -1, high = le32toh(node->nr_entries);

	while (high - low > 1) {
		int64_t mid = low + (high - low) / 2;

		if (le64toh(node->keys[mid]) <= key)
			low = mid;
		else
			high = mid;
	}
	return low;
}

int meta_tree_lookup(struct meta_cache *cache, const struct meta_tree *tree,
		     uint64_t key, void *ret, struct meta_path *path,
		     struct img_err *err)
{
	uint64_t block = tree->root, first = 0, last = UINT64_MAX;

	for (unsigned depth = 0; depth < META_DEPTH_MAX; depth++) {
		img_auto(meta_pin_release) struct meta_pin pin = { 0 };
		int64_t i;
		int r = pin_node(cache, tree, block, first, last, &pin, err);

		if (r < 0)
			return r;
		if (path) {
			path->block[depth] = block;
			path->depth = depth + 1;
		}
		i = node_search(pin.node, key);
		if (i < 0)
			return 0;
		first = le64toh(pin.node->keys[i]);
		if (node_is_leaf(pin.node)) {
			if (first != key)
				return 0;
			memcpy(ret, node_value(pin.node, (uint32_t)i),
			       tree->value_bytes);
			return 1;
		}
		last = child_last(pin.node, (uint32_t)i, last);
		block = node_child(pin.node, (uint32_t)i);
	}
	return too_deep(cache, tree, block, err);
}

int meta_tree_last(struct meta_cache *cache, const struct meta_tree *tree,
		   uint64_t *ret, struct img_err *err)
{
	uint64_t block = tree->root, first = 0;

	for (unsigned depth = 0; depth < META_DEPTH_MAX; depth++) {
		img_auto(meta_pin_release) struct meta_pin pin = { 0 };
		int r = pin_node(cache, tree, block, first, UINT64_MAX, &pin,
				 err);
		uint32_t nr;

		if (r < 0)
			return r;
		nr = le32toh(pin.node->nr_entries);
		if (nr == 0)
			return 0;
		first = le64toh(pin.node->keys[nr - 1]);
		if (node_is_leaf(pin.node)) {
			*ret = first;
			return 1;
		}
		block = node_child(pin.node, nr - 1);
	}
	return too_deep(cache, tree, block, err);
}

int meta_tree_height(struct meta_cache *cache, const struct meta_tree *tree,
		     unsigned *ret, struct img_err *err)
{
	uint64_t block = tree->root, last = UINT64_MAX;

	for (unsigned depth = 1; depth <= META_DEPTH_MAX; depth++) {
		img_auto(meta_pin_release) struct meta_pin pin = { 0 };
		int r = pin_node(cache, tree, block, 0, last, &pin, err);

		if (r < 0)
			return r;
		if (node_is_leaf(pin.node) || !pin.node->nr_entries) {
			*ret = depth;
			return 0;
		}
		last = child_last(pin.node, 0, last);
		block = node_child(pin.node, 0);
	}
	return too_deep(cache, tree, block, err);
}

/* Leaves the nodes that have no more items and reads the next item. */
static void settle(struct meta_iter *it)
{
	while (it->depth) {
		struct meta_frame *f = &it->frame[it->depth - 1];
		const struct meta_disk_node *node = f->pin.node;

		if (f->index < le32toh(node->nr_entries)) {
			it->key = le64toh(node->keys[f->index]);
			it->is_child = !node_is_leaf(node);
			it->value = node_value(node, f->index);
			it->child =
				it->is_child ? node_child(node, f->index) : 0;
			return;
		}
		meta_pin_release(&f->pin);
		if (--it->depth)
			it->frame[it->depth - 1].index++;
	}
}

/* Pushes a frame for a node. */
static int enter(struct meta_iter *it, uint64_t block, uint64_t first,
		 uint64_t last, struct img_err *err)
{
	struct meta_frame *f = &it->frame[it->depth];
	int r;

	if (it->depth == META_DEPTH_MAX)
		return too_deep(it->cache, it->tree, block, err);
	if (!*it->budget)
		return meta_block_bad(it->cache, block, err,
				      "is one node more in the %s than there "
				      "are blocks",
				      it->tree->what);
	--*it->budget;
	*f = (struct meta_frame){ .last = last };
	r = pin_node(it->cache, it->tree, block, first, last, &f->pin, err);
	if (r < 0)
		return r;
	it->depth++;
	settle(it);
	return 0;
}

int meta_iter_init(struct meta_iter *it, struct meta_cache *cache,
		   const struct meta_tree *tree, uint64_t *budget,
		   struct img_err *err)
{
	it->cache = cache;
	it->tree = tree;
	it->budget = budget;
	it->depth = 0;
	return enter(it, tree->root, 0, UINT64_MAX, err);
}

void meta_iter_release(struct meta_iter *it)
{
	while (it->depth)
		meta_pin_release(&it->frame[--it->depth].pin);
}

void meta_iter_next(struct meta_iter *it)
{
	it->frame[it->depth - 1].index++;
	settle(it);
}

int meta_iter_enter(struct meta_iter *it, struct img_err *err)
{
	struct meta_frame *f = &it->frame[it->depth - 1];

	return enter(it, it->child, it->key,
		     child_last(f->pin.node, f->index, f->last), err);
}

int meta_iter_to_entry(struct meta_iter *it, struct img_err *err)
{
	int r = 0;

	while (r == 0 && it->depth && it->is_child)
		r = meta_iter_enter(it, err);
	return r;
}
