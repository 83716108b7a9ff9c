#include "base/cleanup.h"
#include "storage/meta.h"
#include "storage/meta_handle.h"
#include "storage/meta_range.h"

#include <inttypes.h>

typedef int run_fn(void *self, const struct thin_meta_run *run,
		   struct img_err *err);

static bool run_continues(const struct thin_meta_run *run, uint64_t thin,
			  const struct meta_mapping *map)
{
	return run->length && thin == run->thin_begin + run->length &&
	       map->data == run->data_begin + run->length &&
	       map->time == run->time;
}

int thin_meta_each_run(struct thin_meta *meta, uint32_t dev_id, run_fn *fn,
		       void *self, struct img_err *err)
{
	img_auto(meta_iter_release) struct meta_iter it = { 0 };
	uint64_t budget = meta->info.meta_blocks;
	struct thin_meta_run run = { 0 };
	struct meta_tree tree;
	int r = meta_device_tree(meta, dev_id, &tree, NULL, err);

	if (r < 0)
		return r;
	r = meta_iter_init(&it, &meta->cache, &tree, &budget, err);
	while (r == 0) {
		struct meta_mapping map;

		r = meta_iter_to_entry(&it, err);
		if (r < 0 || meta_iter_at_end(&it))
			break;
		r = meta_mapping_of(meta, &it, &map, err);
		if (r < 0)
			break;
		if (run_continues(&run, it.key, &map)) {
			run.length++;
		} else {
			if (run.length)
				r = fn(self, &run, err);
			run = (struct thin_meta_run){ it.key, map.data, 1,
						      map.time };
		}
		meta_iter_next(&it);
	}
	return r == 0 && run.length ? fn(self, &run, err) : r;
}

/*
 * A node is shared when anything on the way to it is: the counts below a
 * shared node tell of pointers, not of owners.  So the way down from the
 * top of the device tree is looked at first, and whatever has more than one
 * reference is never entered.
 */
static int path_is_shared(struct thin_meta *meta, const struct meta_path *path,
			  uint64_t root, bool *ret, struct img_err *err)
{
	uint32_t refs;
	int r = meta_used_node_refs(meta, root, &refs, err);

	*ret = r == 0 && refs > 1;
	for (unsigned i = 0; r == 0 && i < path->depth && !*ret; i++) {
		r = meta_used_node_refs(meta, path->block[i], &refs, err);
		*ret = r == 0 && refs > 1;
	}
	return r;
}

static int exclusive_step(struct thin_meta *meta, struct meta_iter *it,
			  struct meta_merger *out, struct img_err *err)
{
	struct meta_mapping map;
	uint32_t refs;
	int r;

	if (it->is_child) {
		r = meta_used_node_refs(meta, it->child, &refs, err);
		if (r == 0 && refs == 1)
			return meta_iter_enter(it, err);
	} else {
		r = meta_mapping_of(meta, it, &map, err);
		if (r == 0)
			r = meta_used_data_refs(meta, map.data, &refs, err);
		if (r == 0 && refs == 1)
			r = meta_merger_add(out, THIN_META_EXCLUSIVE, it->key,
					    err);
	}
	meta_iter_next(it);
	return r;
}

int thin_meta_each_exclusive(struct thin_meta *meta, uint32_t dev_id,
			     meta_range_fn *fn, void *self, struct img_err *err)
{
	img_auto(meta_iter_release) struct meta_iter it = { 0 };
	struct meta_merger out = { .fn = fn, .self = self };
	uint64_t budget = meta->info.meta_blocks;
	struct meta_path path = { 0 };
	struct meta_tree tree;
	bool shared;
	int r;

	if (meta->from_snapshot)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "%s: a metadata snapshot cannot tell what "
				   "is exclusive in the live tree",
				   meta->cache.name);
	r = meta_device_tree(meta, dev_id, &tree, &path, err);
	if (r < 0)
		return r;
	r = path_is_shared(meta, &path, tree.root, &shared, err);
	if (r < 0 || shared)
		return r;
	r = meta_iter_init(&it, &meta->cache, &tree, &budget, err);
	while (r == 0 && !meta_iter_at_end(&it))
		r = exclusive_step(meta, &it, &out, err);
	return r ? r : meta_merger_flush(&out, err);
}
