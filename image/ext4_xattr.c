#include "image/ext4_xattr.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "image/ext4_acl.h"

#include <string.h>

#define MAGIC_BYTES 4u /* before the entries in an inode */
#define BODY_BYTES                                                             \
	(EXT4_INODE_BYTES - (unsigned)sizeof(struct ext2_inode_large) -        \
	 MAGIC_BYTES)
#define BLOCK_HEADER_BYTES ((unsigned)sizeof(struct ext2_ext_attr_header))
#define XATTRS_MAX	   1024u /* far more than there is room for */
#define END_BYTES	   4u	 /* zeroes after the last entry */

/* One attribute, its name without the prefix that @index stands for. */
struct item {
	uint8_t index, name_len;
	const char *name;
	const void *value;
	size_t size_bytes;
	bool in_block;
};

static const struct {
	const char *prefix;
	uint8_t index;
	bool whole; /* the prefix is all of the name */
} spaces[] = {
	{ "user.", 1, false },
	{ "system.posix_acl_access", 2, true },
	{ "system.posix_acl_default", 3, true },
	{ "trusted.", 4, false },
	{ "security.", 6, false },
};

/* False for a name that ext4 under Linux has no place for. */
static bool item_init(struct item *item, const struct entry_xattr *xattr)
{
	for (size_t i = 0; i < IMG_COUNT(spaces); i++) {
		size_t len = strlen(spaces[i].prefix);
		size_t rest;

		if (strncmp(xattr->name, spaces[i].prefix, len) != 0)
			continue;
		rest = strlen(xattr->name + len);
		if (spaces[i].whole ? rest != 0 : rest == 0 || rest > 255)
			continue;
		*item = (struct item){ .index = spaces[i].index,
				       .name_len = (uint8_t)rest,
				       .name = xattr->name + len,
				       .value = xattr->value,
				       .size_bytes = xattr->size_bytes };
		return true;
	}
	return false;
}

static bool item_is_acl(const struct item *item)
{
	return item->index == 2 || item->index == 3;
}

static int item_order(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	if (x->in_block != y->in_block)
		return x->in_block - y->in_block;
	if (x->index != y->index)
		return x->index - y->index;
	if (x->name_len != y->name_len)
		return x->name_len - y->name_len;
	return memcmp(x->name, y->name, x->name_len);
}

static size_t item_bytes(const struct item *item)
{
	return EXT2_EXT_ATTR_LEN(item->name_len) +
	       EXT2_EXT_ATTR_SIZE(item->size_bytes);
}

/*
 * Entries from the start on, values from the end down.  Returns what is left
 * between them.  An entry's hash is looked at only in a block.
 */
static void area_fill(uint8_t *base, uint8_t *entries, uint8_t *end,
		      const struct item *items, size_t n, bool is_block)
{
	for (const struct item *item = items; item < items + n; item++) {
		struct ext2_ext_attr_entry *e = (void *)entries;

		e->e_name_len = item->name_len;
		e->e_name_index = item->index;
		e->e_value_size = (uint32_t)item->size_bytes;
		memcpy(EXT2_EXT_ATTR_NAME(e), item->name, item->name_len);
		if (item->size_bytes) {
			end -= EXT2_EXT_ATTR_SIZE(item->size_bytes);
			memcpy(end, item->value, item->size_bytes);
			e->e_value_offs = (uint16_t)(end - base);
		}
		if (is_block)
			e->e_hash = ext2fs_ext_attr_hash_entry(e, end);
		entries += EXT2_EXT_ATTR_LEN(item->name_len);
	}
}

static int block_write(struct ext4_fs *fs, const struct item *items, size_t n,
		       uint64_t *ret_block, struct img_err *err)
{
	struct ext2_ext_attr_header *header;
	uint8_t *place;
	int r = ext4_fs_new_block(fs, ret_block, &place, err);

	if (r < 0)
		return r;
	memset(place, 0, EXT4_BLOCK_BYTES);
	header = (void *)place;
	header->h_magic = EXT2_EXT_ATTR_MAGIC;
	header->h_refcount = 1;
	header->h_blocks = 1;
	area_fill(place, place + BLOCK_HEADER_BYTES, place + EXT4_BLOCK_BYTES,
		  items, n, true);
	ext2fs_ext_attr_block_rehash(header,
				     (void *)(place + EXT4_BLOCK_BYTES));
	(void)ext2fs_ext_attr_block_csum_set(/* always succeeds */
					     fs->e2, 0, *ret_block, header);
	return 0;
}

static int too_many(struct img_err *err)
{
	return img_err_set(err, IMG_E_UNSUPPORTED, 0,
			   "has more extended attributes than ext4 holds, "
			   "about 4000 bytes");
}

/* Decides who goes into the inode: in the order given, whoever still fits. */
static int divide(struct item *items, size_t n, struct img_err *err)
{
	size_t body = BODY_BYTES - END_BYTES;
	size_t block = EXT4_BLOCK_BYTES - BLOCK_HEADER_BYTES - END_BYTES;

	for (struct item *item = items; item < items + n; item++) {
		size_t bytes = item_bytes(item);
		size_t *room = bytes <= body ? &body : &block;

		if (bytes > *room)
			return too_many(err);
		item->in_block = room == &block;
		*room -= bytes;
	}
	return 0;
}

static int items_write(struct ext4_fs *fs, struct tree *tree,
		       struct tree_node *node, struct item *items, size_t n,
		       struct img_err *err)
{
	struct tree_xattrs *stored;
	size_t n_body = 0;
	int r = divide(items, n, err);

	if (r < 0)
		return r;
	qsort(items, n, sizeof(*items), item_order);
	while (n_body < n && !items[n_body].in_block)
		n_body++;
	stored = tree_alloc(tree, sizeof(*stored) + (n_body ? BODY_BYTES : 0));
	*stored = (struct tree_xattrs){ 0 };
	if (n_body) {
		stored->body_bytes = BODY_BYTES;
		memset(stored->body, 0, BODY_BYTES);
		area_fill(stored->body, stored->body, stored->body + BODY_BYTES,
			  items, n_body, false);
	}
	if (n_body < n)
		r = block_write(fs, items + n_body, n - n_body, &stored->block,
				err);
	node->xattrs = stored;
	return r;
}

/* Drops those that a later one replaces and those that say nothing; converts
 * ACLs into @acls, which has room for all values. */
static int items_settle(struct item *items, size_t *n, uint8_t *acls,
			struct img_err *err)
{
	size_t kept = 0;

	for (size_t i = 0; i < *n; i++) {
		struct item item = items[i];
		bool drop = false;

		for (size_t j = i + 1; j < *n && !drop; j++)
			drop = item_order(&item, &items[j]) == 0;
		if (!drop && item_is_acl(&item)) {
			int r = ext4_acl_encode(item.value, item.size_bytes,
						item.index == 3, acls,
						&item.size_bytes, err);

			if (r < 0)
				return r;
			item.value = acls;
			acls += item.size_bytes;
			drop = item.size_bytes == 0;
		}
		if (!drop)
			items[kept++] = item;
	}
	*n = kept;
	return 0;
}

int ext4_xattrs_write(struct ext4_fs *fs, struct tree *tree,
		      struct tree_node *node, const struct entry_xattr *xattrs,
		      size_t n, uint64_t *ret_skipped, struct img_err *err)
{
	img_auto(img_mem_release) struct item *items = NULL;
	img_auto(img_mem_release) uint8_t *acls = NULL;
	size_t n_items = 0, n_bytes = 1;
	int r;

	if (node->xattrs && node->xattrs->block)
		ext4_fs_free(fs, node->xattrs->block, 1);
	node->xattrs = NULL;
	if (!n)
		return 0;
	if (n > XATTRS_MAX)
		return too_many(err);
	items = mem_alloc(n * sizeof(*items));
	for (size_t i = 0; i < n; i++) {
		if (!item_init(&items[n_items], &xattrs[i])) {
			(*ret_skipped)++;
			continue;
		}
		if (item_is_acl(&items[n_items]))
			n_bytes += xattrs[i].size_bytes;
		n_items++;
	}
	acls = mem_alloc(n_bytes);
	r = items_settle(items, &n_items, acls, err);
	if (r < 0 || !n_items)
		return r;
	return items_write(fs, tree, node, items, n_items, err);
}

void ext4_xattrs_body(const struct tree_xattrs *xattrs, void *to)
{
	const uint32_t magic = EXT2_EXT_ATTR_MAGIC;

	if (!xattrs || !xattrs->body_bytes)
		return;
	memcpy(to, &magic, MAGIC_BYTES);
	memcpy((uint8_t *)to + MAGIC_BYTES, xattrs->body, xattrs->body_bytes);
}
