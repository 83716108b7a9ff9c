#include "image/ext4_htree.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "image/ext4_dir.h"

#include <string.h>

#define LEAF_FILL  (EXT4_DIR_BLOCK_BYTES * 4 / 5)
#define TAIL_BYTES ((unsigned)sizeof(struct ext2_dx_tail))
#define ROOT_AT	   32u /* where the root's entries begin */
#define NODE_AT	   8u
#define LIMIT(at)  ((EXT4_BLOCK_BYTES - (at)-TAIL_BYTES) / 8u)

struct hashed {
	const struct tree_dentry *dentry;
	ext2_dirhash_t major, minor;
};

/* A leaf holds names [first, next leaf's first). */
struct leaf {
	uint32_t first, hash;
};

struct htree {
	struct ext4_fs *fs;
	struct tree_node *dir;
	struct hashed *names;
	struct leaf *leaves;
	uint32_t n_names, n_leaves, n_nodes;
	uint32_t n_written; /* blocks */
};

static int by_hash(const void *a, const void *b)
{
	const struct hashed *x = a, *y = b;

	if (x->major != y->major)
		return x->major < y->major ? -1 : 1;
	if (x->minor != y->minor)
		return x->minor < y->minor ? -1 : 1;
	return 0;
}

static int names_hash(struct htree *ht, struct img_err *err)
{
	uint32_t *seed = ht->fs->e2->super->s_hash_seed;

	for (struct tree_dentry *d = ht->dir->dir->first; d; d = d->next) {
		struct hashed *name = &ht->names[ht->n_names];
		errcode_t code;

		if (!d->node)
			continue;
		name->dentry = d;
		code = ext2fs_dirhash2(EXT2_HASH_HALF_MD4_UNSIGNED, d->name,
				       d->name_len, NULL, 0, seed, &name->major,
				       &name->minor);
		if (code)
			return ext4_fs_failed(code, "hash a name", err);
		ht->n_names++;
	}
	qsort(ht->names, ht->n_names, sizeof(*ht->names), by_hash);
	return 0;
}

/* Decides which names go into which leaf.  The lowest bit of a leaf's hash
 * says that names of that hash began in the leaf before. */
static void leaves_divide(struct htree *ht)
{
	uint32_t used = 0;

	for (uint32_t i = 0; i < ht->n_names; i++) {
		const struct hashed *name = &ht->names[i];
		uint32_t bytes = ext4_dirent_bytes(name->dentry->name_len);

		if (i == 0 || used + bytes > LEAF_FILL) {
			struct leaf *leaf = &ht->leaves[ht->n_leaves++];

			leaf->first = i;
			leaf->hash = name->major;
			if (i && name[-1].major == name->major)
				leaf->hash |= 1;
			used = 0;
		}
		used += bytes;
	}
}

static int block_begin(struct htree *ht, uint8_t **ret, struct img_err *err)
{
	uint64_t block;
	int r = ext4_fs_new_block(ht->fs, &block, ret, err);

	if (r < 0)
		return r;
	memset(*ret, 0, EXT4_BLOCK_BYTES);
	tree_map_add(&ht->dir->map, ht->n_written++, block, 1);
	return 0;
}

/* Index entries: the first one's place is taken by limit and count, and its
 * hash, lower than any, is left out. */
static void entries_put(uint8_t *at, uint32_t limit, uint32_t n,
			uint32_t first_block, const struct leaf *leaves,
			uint32_t stride)
{
	struct ext2_dx_countlimit *head = (void *)at;
	struct ext2_dx_entry *e = (void *)at;

	for (uint32_t i = 0; i < n; i++) {
		e[i].hash = leaves[i * stride].hash;
		e[i].block = first_block + i;
	}
	head->limit = (uint16_t)limit;
	head->count = (uint16_t)n;
}

static int root_write(struct htree *ht, struct img_err *err)
{
	struct ext2_dx_root_info *info;
	uint32_t n = ht->n_nodes ? ht->n_nodes : ht->n_leaves;
	uint8_t *place;
	int r = block_begin(ht, &place, err);

	if (r < 0)
		return r;
	ext4_dirent_put_dots(place, ht->dir->ino, 1, 12);
	ext4_dirent_put_dots(place + 12, ht->dir->dir->parent->ino, 2,
			     EXT4_BLOCK_BYTES - 12);
	info = (void *)(place + 24);
	info->hash_version = EXT2_HASH_HALF_MD4;
	info->info_length = 8;
	info->indirect_levels = ht->n_nodes != 0;
	entries_put(place + ROOT_AT, LIMIT(ROOT_AT), n, 1, ht->leaves,
		    ht->n_nodes ? LIMIT(NODE_AT) : 1);
	return ext4_dir_block_seal(ht->fs, ht->dir, place, false, err);
}

static int node_write(struct htree *ht, uint32_t i, struct img_err *err)
{
	uint32_t first = i * LIMIT(NODE_AT), n = ht->n_leaves - first;
	uint8_t *place;
	int r = block_begin(ht, &place, err);

	if (r < 0)
		return r;
	if (n > LIMIT(NODE_AT))
		n = LIMIT(NODE_AT);
	((struct ext2_dir_entry_2 *)(void *)place)->rec_len = EXT4_BLOCK_BYTES;
	entries_put(place + NODE_AT, LIMIT(NODE_AT), n, 1 + ht->n_nodes + first,
		    ht->leaves + first, 1);
	return ext4_dir_block_seal(ht->fs, ht->dir, place, false, err);
}

static int leaf_write(struct htree *ht, uint32_t i, struct img_err *err)
{
	uint32_t end =
		i + 1 < ht->n_leaves ? ht->leaves[i + 1].first : ht->n_names;
	uint32_t used = 0;
	uint8_t *place;
	int r = block_begin(ht, &place, err);

	if (r < 0)
		return r;
	for (uint32_t k = ht->leaves[i].first; k < end; k++) {
		const struct tree_dentry *d = ht->names[k].dentry;
		uint32_t bytes = ext4_dirent_bytes(d->name_len);

		if (k + 1 == end)
			bytes = EXT4_DIR_BLOCK_BYTES - used;
		ext4_dirent_put(place + used, d, bytes);
		used += bytes;
	}
	return ext4_dir_block_seal(ht->fs, ht->dir, place, true, err);
}

static int blocks_write(struct htree *ht, struct img_err *err)
{
	int r = root_write(ht, err);

	for (uint32_t i = 0; r == 0 && i < ht->n_nodes; i++)
		r = node_write(ht, i, err);
	for (uint32_t i = 0; r == 0 && i < ht->n_leaves; i++)
		r = leaf_write(ht, i, err);
	return r;
}

int ext4_htree_write(struct ext4_fs *fs, struct tree_node *dir,
		     struct img_err *err)
{
	struct htree ht = { .fs = fs, .dir = dir };
	img_auto(img_mem_release) struct hashed *names = NULL;
	img_auto(img_mem_release) struct leaf *leaves = NULL;
	int r;

	names = mem_alloc(dir->dir->n_names * sizeof(*names));
	leaves = mem_alloc(dir->dir->n_names * sizeof(*leaves));
	ht.names = names;
	ht.leaves = leaves;
	r = names_hash(&ht, err);
	if (r < 0)
		return r;
	leaves_divide(&ht);
	if (ht.n_leaves > LIMIT(ROOT_AT))
		ht.n_nodes =
			(ht.n_leaves + LIMIT(NODE_AT) - 1) / LIMIT(NODE_AT);
	if (ht.n_nodes > LIMIT(ROOT_AT))
		return img_err_set(err, IMG_E_UNSUPPORTED, 0,
				   "a directory with %u names is more than "
				   "ext4 can index",
				   ht.n_names);
	r = blocks_write(&ht, err);
	dir->size_bytes = (uint64_t)ht.n_written * EXT4_BLOCK_BYTES;
	return r;
}
