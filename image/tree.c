#include "image/tree.h"

#include "base/str.h"
#include "image/tree_index.h"
#include "image/tree_path.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LINKS_MAX 65000u /* EXT4_LINK_MAX; directories may have more */

struct tree {
	struct tree_index index;
	struct tree_node *root, *last;
	struct tree_options options;
	uint64_t n_entries; /* ever added: replaced ones take memory too */
	uint64_t name_bytes, n_nodes;
};

static mode_t mode_of(const struct entry *entry)
{
	static const mode_t type[] = {
		[ENTRY_FILE] = S_IFREG,	   [ENTRY_DIR] = S_IFDIR,
		[ENTRY_SYMLINK] = S_IFLNK, [ENTRY_HARDLINK] = S_IFREG,
		[ENTRY_CHAR] = S_IFCHR,	   [ENTRY_BLOCK] = S_IFBLK,
		[ENTRY_FIFO] = S_IFIFO,	   [ENTRY_SOCKET] = S_IFSOCK,
	};

	return type[entry->type] | (entry->mode & 07777);
}

static struct tree_node *node_new(struct tree *tree, mode_t mode)
{
	struct tree_node *node = tree_alloc(tree, sizeof(*node));

	*node = (struct tree_node){ .mode = (uint16_t)mode };
	if (tree->last)
		tree->last->next = node;
	tree->last = node;
	if (S_ISDIR(mode)) {
		node->dir = tree_alloc(tree, sizeof(*node->dir));
		*node->dir = (struct tree_dir){ 0 };
	}
	return node;
}

struct tree *tree_new(const struct tree_options *options)
{
	struct tree *tree = mem_zalloc(sizeof(*tree));

	tree->options = *options;
	tree_index_init(&tree->index);
	tree->root = node_new(tree, S_IFDIR | 0755);
	tree->root->links = 1;
	tree->n_nodes = 1;
	tree->root->mtime_s = options->now_s;
	tree->root->dir->parent = tree->root;
	return tree;
}

void tree_free(struct tree *tree)
{
	if (!tree)
		return;
	for (struct tree_node *n = tree->root; n; n = n->next)
		free(n->map.many);
	tree_index_release(&tree->index);
	free(tree);
}

struct tree_node *tree_first(const struct tree *tree)
{
	return tree->root;
}

void *tree_alloc(struct tree *tree, size_t size)
{
	return tree_index_alloc(&tree->index, size);
}

uint64_t tree_n_nodes(const struct tree *tree)
{
	return tree->n_nodes;
}

uint64_t tree_name_bytes(const struct tree *tree)
{
	return tree->name_bytes;
}

/* A new name; the node's directory links are the writer's business. */
static int name_add(struct tree *tree, const struct tree_key *key,
		    struct tree_node *node, struct img_err *err)
{
	if (tree->n_entries >= tree->options.max_entries)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "is beyond the limit of %" PRIu64 " entries",
				   tree->options.max_entries);
	if (node->links >= LINKS_MAX)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "has more than %u hard links", LINKS_MAX);
	tree->n_entries++;
	tree->name_bytes += (key->len + 8u + 3u) & ~3u;
	tree_index_insert(&tree->index, key, node);
	if (node->links++ == 0)
		tree->n_nodes++;
	if (tree_node_is_dir(node))
		node->dir->parent = key->dir;
	return 0;
}

static void name_remove(struct tree *tree, struct tree_dentry *dentry)
{
	if (--dentry->node->links == 0)
		tree->n_nodes--;
	tree->name_bytes -= (dentry->name_len + 8u + 3u) & ~3u;
	tree_index_remove(&tree->index, dentry);
}

/* Walks to the directory that holds the last component of a path.  With
 * @make, what is missing on the way is made; otherwise *ret_found is false. */
static int walk(struct tree *tree, struct tree_path *path, bool make,
		struct tree_key *ret, bool *ret_found, struct img_err *err)
{
	struct tree_node *dir = tree->root;

	*ret_found = true;
	for (;;) {
		int r = tree_path_next(path, dir, ret, err);
		struct tree_dentry *dentry;

		if (r <= 0 || tree_path_is_last(path))
			return r;
		dentry = tree_index_find(&tree->index, ret);
		if (!dentry && !make) {
			*ret_found = false;
			return 0;
		}
		if (!dentry) {
			dir = node_new(tree, S_IFDIR | 0755);
			dir->mtime_s = tree->options.now_s;
			r = name_add(tree, ret, dir, err);
			if (r < 0)
				return r;
			continue;
		}
		dir = dentry->node;
		if (!tree_node_is_dir(dir))
			return tree_path_refuse(path, dir, err);
	}
}

static int link_target(struct tree *tree, const struct entry *entry,
		       struct tree_node **ret, struct img_err *err)
{
	char quoted[ENTRY_QUOTED_MAX];
	struct tree_path path;
	struct tree_dentry *dentry = NULL;
	struct tree_key key;
	bool found;
	int r;

	tree_path_init(&path, &tree->index, entry->link);
	r = walk(tree, &path, false, &key, &found, err);
	if (r < 0)
		return img_err_prefix(err, "is a hard link to %s",
				      entry_quote(entry->link, quoted));
	if (found && r > 0)
		dentry = tree_index_find(&tree->index, &key);
	if (found && r > 0 && !dentry)
		found = false;
	if (!found)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "is a hard link to %s, which is not in the "
				   "archive before it",
				   entry_quote(entry->link, quoted));
	if (r == 0 || tree_node_is_dir(dentry->node))
		return img_err_set(err, IMG_E_INPUT, 0,
				   "is a hard link to %s, which is a directory",
				   entry_quote(entry->link, quoted));
	*ret = dentry->node;
	return 0;
}

static void attributes_set(struct tree_node *node, const struct entry *entry)
{
	node->mode = (uint16_t)mode_of(entry);
	node->uid = entry->uid;
	node->gid = entry->gid;
	node->mtime_s = entry->mtime_s;
	node->mtime_ns = entry->mtime_ns;
}

/* Makes room for an entry where something has its name already.  *ret is
 * set when that stays and is to be used. */
static int replace(struct tree *tree, struct tree_dentry *old,
		   const struct entry *entry, struct tree_node **ret,
		   struct img_err *err)
{
	if (tree_node_is_dir(old->node)) {
		if (entry->type == ENTRY_DIR) {
			*ret = old->node;
			return 0;
		}
		if (old->node->dir->n_names)
			return img_err_set(err, IMG_E_INPUT, 0,
					   "would replace a directory that is "
					   "not empty");
	}
	name_remove(tree, old);
	return 0;
}

static int node_of(struct tree *tree, const struct entry *entry,
		   const struct tree_key *key, struct tree_node **ret,
		   struct img_err *err)
{
	struct tree_dentry *old = tree_index_find(&tree->index, key);
	struct tree_node *node = NULL;
	int r;

	if (entry->type == ENTRY_HARDLINK) {
		r = link_target(tree, entry, &node, err);
		if (r < 0)
			return r;
		*ret = node;
		if (old && old->node == node)
			return 0; /* a link to itself changes nothing */
	}
	if (old) {
		struct tree_node *kept = NULL;

		r = replace(tree, old, entry, &kept, err);
		if (r < 0)
			return r;
		*ret = kept;
		if (kept)
			return 0;
	}
	if (!node)
		node = node_new(tree, mode_of(entry));
	*ret = node;
	return name_add(tree, key, node, err);
}

static int add(struct tree *tree, const struct entry *entry,
	       struct tree_node **ret, struct img_err *err)
{
	struct tree_node *node = tree->root;
	struct tree_path path;
	struct tree_key key;
	bool found;
	int r;

	tree_path_init(&path, &tree->index, entry->path);
	r = walk(tree, &path, true, &key, &found, err);
	if (r < 0)
		return r;
	if (r == 0 && entry->type != ENTRY_DIR)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "would replace the root directory");
	if (r > 0) {
		r = node_of(tree, entry, &key, &node, err);
		if (r < 0)
			return r;
	}
	*ret = node;
	if (entry->type == ENTRY_HARDLINK)
		return 0;
	attributes_set(node, entry);
	if (entry->type == ENTRY_CHAR || entry->type == ENTRY_BLOCK) {
		node->dev.major = entry->dev_major;
		node->dev.minor = entry->dev_minor;
	} else if (entry->type == ENTRY_SYMLINK) {
		node->size_bytes = strlen(entry->link);
	}
	return 0;
}

int tree_add(struct tree *tree, const struct entry *entry,
	     struct tree_node **ret, struct img_err *err)
{
	int r = add(tree, entry, ret, err);

	return r < 0 ? entry_blame(entry, err) : 0;
}
