#include "base/cleanup.h"
#include "storage/meta.h"
#include "storage/meta_handle.h"
#include "storage/meta_range.h"

struct side {
	struct meta_iter it;
	struct meta_tree tree;
	uint64_t budget;
	unsigned height;
	enum thin_meta_kind alone; /* what a block of this side alone is */
};

static int side_init(struct side *side, struct thin_meta *meta,
		     struct img_err *err)
{
	int r = meta_tree_height(&meta->cache, &side->tree, &side->height, err);

	if (r < 0)
		return r;
	side->budget = meta->info.meta_blocks;
	return meta_iter_init(&side->it, &meta->cache, &side->tree,
			      &side->budget, err);
}

static void side_release(struct side *side)
{
	meta_iter_release(&side->it);
}

/* How far above the entries its item is. */
static int side_level(const struct side *side)
{
	return side->it.is_child ? (int)side->height - (int)side->it.depth : 0;
}

static bool side_is_first(const struct side *a, const struct side *b)
{
	if (meta_iter_at_end(&a->it))
		return false;
	return meta_iter_at_end(&b->it) || a->it.key <= b->it.key;
}

/* One side is behind the other, which has nothing at this place. */
static int step_alone(const struct thin_meta *meta, struct side *side,
		      struct meta_merger *out, struct img_err *err)
{
	struct meta_mapping map;
	int r;

	if (side->it.is_child)
		return meta_iter_enter(&side->it, err);
	r = meta_mapping_of(meta, &side->it, &map, err);
	if (r == 0)
		r = meta_merger_add(out, side->alone, side->it.key, err);
	meta_iter_next(&side->it);
	return r;
}

/* Both have an entry of the same key. */
static int step_entries(const struct thin_meta *meta, struct side *a,
			struct side *b, struct meta_merger *out,
			struct img_err *err)
{
	struct meta_mapping map_a, map_b;
	int r = meta_mapping_of(meta, &a->it, &map_a, err);

	if (r == 0)
		r = meta_mapping_of(meta, &b->it, &map_b, err);
	if (r == 0 && map_a.data != map_b.data)
		r = meta_merger_add(out, THIN_META_DIFFERENT, a->it.key, err);
	meta_iter_next(&a->it);
	meta_iter_next(&b->it);
	return r;
}

/*
 * Both stand on the same key, at least one of them on a child.  The one that
 * is higher up in its tree goes down, so that both meet on one level, where
 * a shared node is seen to be the same block.
 */
static int step_down(struct side *a, struct side *b, struct img_err *err)
{
	int level_a = side_level(a), level_b = side_level(b);
	int r = 0;

	if (a->it.is_child && (level_a >= level_b || !b->it.is_child))
		r = meta_iter_enter(&a->it, err);
	if (r == 0 && b->it.is_child && (level_b >= level_a || level_a == 0))
		r = meta_iter_enter(&b->it, err);
	return r;
}

/* Every key below either item is yet to come, so equal blocks mean equal
 * contents from here to their end, on both sides. */
static bool on_same_child(const struct side *a, const struct side *b)
{
	return !meta_iter_at_end(&a->it) && !meta_iter_at_end(&b->it) &&
	       a->it.is_child && b->it.is_child && a->it.child == b->it.child;
}

static int difference_step(const struct thin_meta *meta, struct side *a,
			   struct side *b, struct meta_merger *out,
			   struct img_err *err)
{
	bool a_first, b_first;

	if (on_same_child(a, b)) {
		meta_iter_next(&a->it);
		meta_iter_next(&b->it);
		return 0;
	}
	a_first = side_is_first(a, b);
	b_first = side_is_first(b, a);
	if (!b_first)
		return step_alone(meta, a, out, err);
	if (!a_first)
		return step_alone(meta, b, out, err);
	if (a->it.is_child || b->it.is_child)
		return step_down(a, b, err);
	return step_entries(meta, a, b, out, err);
}

int thin_meta_each_difference(struct thin_meta *meta, uint32_t dev_a,
			      uint32_t dev_b, meta_range_fn *fn, void *self,
			      struct img_err *err)
{
	img_auto(side_release) struct side a = { .alone = THIN_META_ONLY_A };
	img_auto(side_release) struct side b = { .alone = THIN_META_ONLY_B };
	struct meta_merger out = { .fn = fn, .self = self };
	int r = meta_device_tree(meta, dev_a, &a.tree, NULL, err);

	if (r == 0)
		r = meta_device_tree(meta, dev_b, &b.tree, NULL, err);
	if (r < 0 || a.tree.root == b.tree.root)
		return r;
	r = side_init(&a, meta, err);
	if (r == 0)
		r = side_init(&b, meta, err);
	while (r == 0 && !(meta_iter_at_end(&a.it) && meta_iter_at_end(&b.it)))
		r = difference_step(meta, &a, &b, &out, err);
	return r ? r : meta_merger_flush(&out, err);
}
