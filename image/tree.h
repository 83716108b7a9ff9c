#ifndef IMG_IMAGE_TREE_H
#define IMG_IMAGE_TREE_H

/*
 * The file system under construction, in memory: who is called what, and
 * each file's attributes.  File content is elsewhere; a node only knows the
 * blocks that hold it.
 *
 * Always holds: every path that was added leads from the root through
 * directories of this tree alone, never through a symlink and never above
 * the root.  Later entries replace earlier ones as GNU tar does it.
 *
 * Costs about 170 bytes an entry, plus its extended attributes.
 */
#include "image/entry.h"

#include <stdbool.h>

struct tree;
struct tree_node;

/* Consecutive blocks of a file, at most TREE_EXTENT_MAX of them. */
struct tree_extent {
	uint32_t logical, n_blocks;
	uint64_t block;
};

#define TREE_EXTENT_MAX 32768u /* what one extent of ext4 can say */

struct tree_extents {
	uint32_t count, capacity;
	uint16_t depth; /* not 0: @e are index entries, see ext4_extent.h */
	uint32_t own_blocks; /* blocks of that index */
	uint64_t blocks;     /* of data, holes not counted */
	struct tree_extent e[];
};

/* Where a node's content is: @one while there is no more than one. */
struct tree_map {
	struct tree_extent one;	   /* no blocks: none */
	struct tree_extents *many; /* all of them, once there are several */
};

/* One name in a directory. */
struct tree_dentry {
	struct tree_dentry *hash_next, *next; /* next: in its directory */
	struct tree_node *dir, *node;	      /* node: NULL once removed */
	uint32_t hash;
	uint8_t name_len;
	char name[];
};

struct tree_dir {
	struct tree_dentry *first, *last;
	struct tree_node *parent; /* of the root: the root */
	uint32_t n_names;
};

/* Extended attributes as they will be stored. */
struct tree_xattrs {
	uint64_t block; /* with those that the inode has no room for; or 0 */
	uint32_t body_bytes;
	uint8_t body[]; /* for the inode; aligned like the field before */
};

struct tree_node {
	struct tree_node *next; /* in the order of arrival */
	uint64_t size_bytes;
	int64_t mtime_s;
	uint32_t mtime_ns, uid, gid;
	uint32_t links; /* names; 0: replaced, nothing of it stays */
	uint32_t ino;	/* given by the writer of the file system */
	uint16_t mode;	/* with the type, as in stat(2) */
	struct tree_xattrs *xattrs; /* NULL: none */
	union {
		struct tree_dir *dir;
		const char *target; /* of a symlink */
		struct {
			uint32_t major, minor;
		} dev;
	};
	struct tree_map map;
};

struct tree_options {
	uint64_t max_entries; /* names, implied directories included */
	int64_t now_s;	      /* time of directories that no entry names */
};

/* Ends the program when memory runs out, like all of base/str.h. */
struct tree *tree_new(const struct tree_options *options) IMG_NONNULL(1);
void tree_free(struct tree *tree);

/* The nodes in the order of arrival, the root first. */
struct tree_node *tree_first(const struct tree *tree) IMG_NONNULL(1);

/**
 * tree_add - give an entry its place
 * @ret: the node that now has this name; for a hard link the node it shares
 *
 * Missing parents are made, 0755 and root's.  Leading slashes and "." are
 * dropped.  A directory over a directory takes the entry's attributes and
 * keeps its content; over anything else an entry replaces what was there, a
 * directory only if it is empty.  Extended attributes are left to the
 * caller: a directory that was there still has its old ones.
 *
 * Returns 0, or -IMG_E_INPUT with the entry named: ".." in a path, a parent
 * that is a symlink or no directory, a component over 255 bytes, a hard link
 * to nothing or to a directory, too many entries or links.  The tree stays
 * whole after a failure, though implied parents may have been made.
 */
int tree_add(struct tree *tree, const struct entry *entry,
	     struct tree_node **ret, struct img_err *err) IMG_MUST_USE
	IMG_NONNULL(1, 2, 3, 4);

/* Memory that lives as long as the tree. */
void *tree_alloc(struct tree *tree, size_t size) IMG_NONNULL(1);

/* Nodes that have a name: what takes an inode each. */
uint64_t tree_n_nodes(const struct tree *tree) IMG_NONNULL(1);

/* What the names of this tree will take in directory blocks, roughly. */
uint64_t tree_name_bytes(const struct tree *tree) IMG_NONNULL(1);

/* Appends blocks to a file; joins those that continue the last extent. */
void tree_map_add(struct tree_map *map, uint32_t logical, uint64_t block,
		  uint32_t n_blocks) IMG_NONNULL(1);

/* The extents of a map, in ascending order; *ret_count may be 0. */
struct tree_extent *tree_map_extents(struct tree_map *map, uint32_t *ret_count)
	IMG_NONNULL(1, 2);

/* Blocks of data, and of the extent index once it is written. */
uint64_t tree_map_blocks(const struct tree_map *map) IMG_NONNULL(1);

static inline bool tree_node_is_dir(const struct tree_node *node)
{
	return (node->mode & 0170000) == 0040000;
}

static inline bool tree_node_is_symlink(const struct tree_node *node)
{
	return (node->mode & 0170000) == 0120000;
}

#endif
