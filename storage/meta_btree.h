#ifndef IMG_STORAGE_META_BTREE_H
#define IMG_STORAGE_META_BTREE_H

/*
 * The b-trees of thin pool metadata: 64-bit keys, values of a fixed size.
 *
 * An iterator stands on an item: an entry of a leaf, or a child of an internal
 * node that has not been entered yet.  Its user enters the child or steps over
 * it, which is how shared subtrees are skipped.  Items come in ascending
 * order: whatever is in a child has keys of at least the child's own.
 *
 * Source: drivers/md/persistent-data/dm-btree.c.
 */
#include "base/attr.h"
#include "base/err.h"
#include "storage/meta_block.h"

#include <stdbool.h>
#include <stdint.h>

struct meta_tree {
	const char *what; /* "mapping tree", for messages */
	uint64_t root;
	uint32_t value_bytes; /* in the leaves; a multiple of four */
};

struct meta_frame {
	struct meta_pin pin;
	uint32_t index;
	uint64_t last; /* no key in here may be greater */
};

struct meta_iter {
	struct meta_cache *cache;
	const struct meta_tree *tree;
	uint64_t *budget; /* nodes that may still be entered; borrowed */
	unsigned depth;	  /* frames; 0 at the end of the tree */
	struct meta_frame frame[META_DEPTH_MAX];
	/* The item it stands on, while depth > 0: */
	uint64_t key;
	bool is_child;
	uint64_t child; /* block, of a child */
	const void *value;
};

/* The nodes that a lookup went through, the root first. */
struct meta_path {
	unsigned depth;
	uint64_t block[META_DEPTH_MAX];
};

/**
 * meta_tree_lookup - the value of one key
 * @ret: tree->value_bytes long
 * @path: filled as far as the lookup came; may be NULL
 *
 * Returns 1 if the key is there, 0 if not, or -IMG_E_CORRUPT, -IMG_E_SYS.
 */
int meta_tree_lookup(struct meta_cache *cache, const struct meta_tree *tree,
		     uint64_t key, void *ret, struct meta_path *path,
		     struct img_err *err) IMG_MUST_USE;

/* 1 with the greatest key, 0 when the tree is empty. */
int meta_tree_last(struct meta_cache *cache, const struct meta_tree *tree,
		   uint64_t *ret, struct img_err *err) IMG_MUST_USE;

/* How many nodes there are from the root to a leaf, at least 1. */
int meta_tree_height(struct meta_cache *cache, const struct meta_tree *tree,
		     unsigned *ret, struct img_err *err) IMG_MUST_USE;

/**
 * meta_iter_init - stand on the first item of a tree's root
 * @tree: borrowed
 * @budget: how many nodes may be entered, counted down; a damaged tree that
 *	takes more is -IMG_E_CORRUPT
 *
 * Release it with meta_iter_release(), after a failure too.
 */
int meta_iter_init(struct meta_iter *it, struct meta_cache *cache,
		   const struct meta_tree *tree, uint64_t *budget,
		   struct img_err *err) IMG_MUST_USE;
void meta_iter_release(struct meta_iter *it);

static inline bool meta_iter_at_end(const struct meta_iter *it)
{
	return it->depth == 0;
}

/* Steps over the item. */
void meta_iter_next(struct meta_iter *it);

/* Enters the child it stands on, to the first item in there. */
int meta_iter_enter(struct meta_iter *it, struct img_err *err) IMG_MUST_USE;

/* Enters children until it stands on an entry, or at the end. */
int meta_iter_to_entry(struct meta_iter *it, struct img_err *err) IMG_MUST_USE;

#endif
