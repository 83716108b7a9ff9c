#ifndef IMG_IMAGE_TREE_INDEX_H
#define IMG_IMAGE_TREE_INDEX_H

/*
 * The tree's memory and its one hash table from (directory, name) to entry.
 *
 * The hash is SipHash with a random key, for names come from strangers.
 * Nothing that is written depends on it.  Removed entries stay in their
 * directory's list with no node.
 */
#include "image/tree.h"

struct tree_arena;

struct tree_index {
	struct tree_dentry **buckets;
	size_t n_buckets, n_names;
	struct tree_arena *arena;
	uint64_t secret[2]; /* key of the hash */
};

struct tree_key {
	struct tree_node *dir;
	const char *name; /* @len bytes, not terminated */
	uint32_t hash;
	uint8_t len;
};

void tree_index_init(struct tree_index *index) IMG_NONNULL(1);
void tree_index_release(struct tree_index *index) IMG_NONNULL(1);

/* Aligned for pointers; lives until the index is released. */
void *tree_index_alloc(struct tree_index *index, size_t size) IMG_NONNULL(1);

void tree_key_init(struct tree_key *key, const struct tree_index *index,
		   struct tree_node *dir, const char *name, uint8_t len)
	IMG_NONNULL(1, 2, 3, 4);

/* NULL where there is no such name. */
struct tree_dentry *tree_index_find(const struct tree_index *index,
				    const struct tree_key *key)
	IMG_NONNULL(1, 2);

/* The name must not be there. */
void tree_index_insert(struct tree_index *index, const struct tree_key *key,
		       struct tree_node *node) IMG_NONNULL(1, 2, 3);

void tree_index_remove(struct tree_index *index, struct tree_dentry *dentry)
	IMG_NONNULL(1, 2);

#endif
