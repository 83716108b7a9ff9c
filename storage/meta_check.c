/*
 * The whole of the metadata, verified: every block in use is read, and what
 * points to it is counted and compared with the space maps.
 *
 * Source: what counts as a pointer is in drivers/md/dm-thin-metadata.c and
 * drivers/md/persistent-data/dm-space-map-{common,metadata,disk}.c.
 */
#include "base/cleanup.h"
#include "storage/meta.h"
#include "storage/meta_handle.h"

#include <endian.h>
#include <string.h>
#include <sys/mman.h>

typedef int fault_fn(void *self, const struct thin_meta_fault *fault,
		     struct img_err *err);

/* A table of counts, of which only what is used takes memory. */
struct tally {
	uint32_t *count; /* NULL: none */
	uint64_t n;
};

struct check {
	struct thin_meta *meta;
	fault_fn *fn;
	void *self;
	struct tally nodes, data;
	bool of_volume; /* in which tree it is now */
	uint32_t dev_id;
	bool damaged;
};

static int tally_init(struct tally *tally, uint64_t n, struct img_err *err)
{
	void *area = mmap(NULL, n * sizeof(*tally->count) + 1,
			  PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (area == MAP_FAILED)
		return img_err_sys(err, "cannot get memory for %llu counts",
				   (unsigned long long)n);
	*tally = (struct tally){ area, n };
	return 0;
}

static void tally_release(struct tally *tally)
{
	if (tally->count)
		(void)munmap(tally->count,
			     tally->n * sizeof(*tally->count) + 1);
	tally->count = NULL;
}

static void check_release(struct check *check)
{
	tally_release(&check->nodes);
	tally_release(&check->data);
}

/* One more pointer.  True when it is the first. */
static bool tally_add(struct tally *tally, uint64_t block)
{
	return block < tally->n && tally->count[block]++ == 0;
}

/* Tells of damage and goes on; memory that runs out and the like ends all. */
static int damage(struct check *check, const struct img_err *what,
		  struct img_err *err)
{
	check->damaged = true;
	return check->fn(check->self,
			 &(struct thin_meta_fault){
				 .kind = THIN_META_DAMAGED,
				 .of_volume = check->of_volume,
				 .dev_id = check->dev_id,
				 .text = what->msg,
			 },
			 err);
}

typedef int value_fn(struct check *check, const struct meta_iter *it,
		     struct img_err *err);

/* Counts the pointer to the root, and walks the tree if that is the first. */
static int walk(struct check *check, const struct meta_tree *tree, value_fn *fn,
		struct img_err *err)
{
	img_auto(meta_iter_release) struct meta_iter it = { 0 };
	uint64_t budget = check->meta->info.meta_blocks;
	struct img_err bad = { 0 };
	int r;

	if (!tally_add(&check->nodes, tree->root) &&
	    tree->root < check->nodes.n)
		return 0;
	if (meta_iter_init(&it, &check->meta->cache, tree, &budget, &bad) < 0)
		return damage(check, &bad, err);
	for (r = 0; r == 0 && !meta_iter_at_end(&it);) {
		bad = (struct img_err){ 0 };
		if (!it.is_child) {
			r = fn ? fn(check, &it, err) : 0;
		} else if (tally_add(&check->nodes, it.child) ||
			   it.child >= check->nodes.n) {
			if (meta_iter_enter(&it, &bad) == 0)
				continue;
			r = damage(check, &bad, err);
		}
		meta_iter_next(&it);
	}
	return r;
}

static int count_mapping(struct check *check, const struct meta_iter *it,
			 struct img_err *err)
{
	struct meta_mapping map;
	struct img_err bad = { 0 };

	if (meta_mapping_of(check->meta, it, &map, &bad) < 0)
		return damage(check, &bad, err);
	(void)tally_add(&check->data, map.data);
	return 0;
}

static int walk_volume(struct check *check, const struct meta_iter *it,
		       struct img_err *err)
{
	struct thin_meta_dev dev;
	struct img_err bad = { 0 };
	struct meta_tree tree;
	uint64_t raw;
	int r = 0;

	memcpy(&raw, it->value, sizeof(raw));
	tree = meta_mapping_tree(le64toh(raw));
	check->of_volume = true;
	check->dev_id = (uint32_t)it->key;
	if (it->key > META_DEV_MAX ||
	    thin_meta_dev(check->meta, check->dev_id, &dev, &bad) < 0) {
		(void)img_err_set(&bad, IMG_E_CORRUPT, 0,
				  "the volume has no details");
		r = damage(check, &bad, err);
	}
	if (r == 0)
		r = walk(check, &tree, count_mapping, err);
	check->of_volume = false;
	return r;
}

static int has_tree(struct check *check, const struct meta_iter *it,
		    struct img_err *err)
{
	struct img_err bad = { 0 };
	struct meta_tree tree;

	if (it->key <= META_DEV_MAX &&
	    meta_device_tree(check->meta, (uint32_t)it->key, &tree, NULL,
			     &bad) == 0)
		return 0;
	return damage(check, &bad, err);
}

static int walk_volumes(struct check *check, struct img_err *err)
{
	struct thin_meta *meta = check->meta;
	int r = walk(check, &meta->details, has_tree, err);

	return r ? r : walk(check, &meta->devices, walk_volume, err);
}

/* The metadata snapshot is looked at as if it were the live tree. */
static int walk_snapshot(struct check *check, struct img_err *err)
{
	struct thin_meta *meta = check->meta;
	const struct meta_tree devices = meta->devices;
	const struct meta_tree details = meta->details;
	img_auto(meta_pin_release) struct meta_pin pin = { 0 };
	struct img_err bad = { 0 };
	int r;

	if (!meta->info.snapshot_block || meta->from_snapshot)
		return 0;
	(void)tally_add(&check->nodes, meta->info.snapshot_block);
	if (meta_super_pin(&meta->cache, meta->info.snapshot_block, &pin,
			   &bad) < 0)
		return damage(check, &bad, err);
	meta->devices.root = le64toh(pin.super->mapping_root);
	meta->details.root = le64toh(pin.super->details_root);
	r = walk_volumes(check, err);
	meta->devices = devices;
	meta->details = details;
	return r;
}

static int count_bitmap(struct check *check, const struct meta_iter *it,
			struct img_err *err)
{
	struct meta_disk_index_entry entry;

	memcpy(&entry, it->value, sizeof(entry));
	(void)tally_add(&check->nodes, le64toh(entry.block));
	return 0;
}

static int walk_space(struct check *check, struct meta_space *space,
		      struct img_err *err)
{
	struct meta_cache *cache = &check->meta->cache;
	int r = walk(check, &space->overflow, NULL, err);

	if (r)
		return r;
	if (!space->has_index_block)
		return walk(check, &space->bitmaps, count_bitmap, err);
	(void)tally_add(&check->nodes, space->bitmaps.root);
	for (uint64_t i = 0; i < meta_space_stretches(space); i++) {
		img_auto(meta_pin_release) struct meta_pin pin = { 0 };
		struct img_err bad = { 0 };

		r = meta_block_pin(cache, space->bitmaps.root, META_INDEX, &pin,
				   &bad);
		if (r < 0)
			return damage(check, &bad, err);
		(void)tally_add(&check->nodes,
				le64toh(pin.index->entry[i].block));
	}
	return 0;
}

struct mismatch {
	uint64_t leaked, uncounted;
};

/* One stretch of blocks, as the bitmap and as the tally has it. */
static int compare_stretch(struct check *check, struct meta_space *space,
			   const struct tally *tally, uint64_t stretch,
			   struct mismatch *found, struct img_err *err)
{
	img_auto(meta_pin_release) struct meta_pin pin = { 0 };
	struct meta_cache *cache = &check->meta->cache;
	uint64_t first = stretch * META_BITMAP_ENTRIES;
	int r = meta_space_bitmap(space, cache, stretch, &pin, err);

	for (uint64_t i = 0;
	     r == 0 && i < META_BITMAP_ENTRIES && first + i < space->nr_blocks;
	     i++) {
		uint32_t refs = meta_bitmap_refs(pin.bitmap, i);

		if (refs == META_REFS_OVERFLOW)
			r = meta_space_refs(space, cache, first + i, &refs,
					    err);
		found->leaked += refs > tally->count[first + i];
		found->uncounted += refs < tally->count[first + i];
	}
	return r;
}

static int tell(struct check *check, enum thin_meta_fault_kind kind,
		bool of_data, uint64_t blocks, struct img_err *err)
{
	return blocks ? check->fn(check->self,
				  &(struct thin_meta_fault){
					  .kind = kind,
					  .of_data = of_data,
					  .blocks = blocks,
				  },
				  err)
		      : 0;
}

static int compare(struct check *check, struct meta_space *space,
		   const struct tally *tally, bool of_data, struct img_err *err)
{
	struct mismatch found = { 0 };
	int r;

	for (uint64_t i = 0; i < meta_space_stretches(space); i++) {
		struct img_err bad = { 0 };

		if (compare_stretch(check, space, tally, i, &found, &bad) < 0) {
			r = damage(check, &bad, err);
			if (r)
				return r;
		}
	}
	r = tell(check, THIN_META_LEAKED, of_data, found.leaked, err);
	return r ? r
		 : tell(check, THIN_META_UNCOUNTED, of_data, found.uncounted,
			err);
}

int thin_meta_check(struct thin_meta *meta, fault_fn *fn, void *self,
		    struct img_err *err)
{
	img_auto(check_release) struct check check = { .meta = meta,
						       .fn = fn,
						       .self = self };
	int r = tally_init(&check.nodes, meta->info.meta_blocks, err);

	if (r == 0)
		r = tally_init(&check.data, meta->info.data_blocks, err);
	if (r == 0)
		r = walk_volumes(&check, err);
	if (r || meta->from_snapshot)
		return r;
	r = walk_snapshot(&check, err);
	(void)tally_add(&check.nodes, 0); /* the superblock */
	if (r == 0)
		r = walk_space(&check, &meta->data, err);
	if (r == 0)
		r = walk_space(&check, &meta->meta, err);
	/* Below what is damaged nothing was counted. */
	if (r == 0 && !check.damaged)
		r = compare(&check, &meta->meta, &check.nodes, false, err);
	if (r == 0 && !check.damaged)
		r = compare(&check, &meta->data, &check.data, true, err);
	return r;
}
