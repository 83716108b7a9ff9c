#include "image/ext4_write.h"

#include "image/ext4_dir.h"
#include "image/ext4_extent.h"
#include "image/ext4_file.h"
#include "image/ext4_inode.h"
#include "image/ext4_io.h"
#include "image/ext4_journal.h"

/* Nodes in the order of their inode numbers: directories, then the rest;
 * those that were replaced are left out. */
static struct tree_node *next_node(const struct tree *tree,
				   struct tree_node *node, bool *dirs)
{
	node = node ? node->next : tree_first(tree);
	for (;;) {
		if (!node && !*dirs)
			return NULL;
		if (!node) {
			*dirs = false;
			node = tree_first(tree);
			continue;
		}
		if (node->links && tree_node_is_dir(node) == *dirs)
			return node;
		node = node->next;
	}
}

static void numbers_give(struct tree *tree)
{
	uint32_t ino = EXT2_GOOD_OLD_FIRST_INO;
	struct tree_node *root = tree_first(tree), *node = NULL;
	bool dirs = true;

	while ((node = next_node(tree, node, &dirs))) {
		if (node == root) {
			node->ino = EXT2_ROOT_INO;
			continue;
		}
		node->ino = ino++;
	}
}

static void reserved_count(struct ext4_fs *fs)
{
	for (ext2_ino_t ino = 1; ino < EXT2_GOOD_OLD_FIRST_INO; ino++)
		ext2fs_inode_alloc_stats2(fs->e2, ino, +1,
					  ino == EXT2_ROOT_INO);
}

static int blocks_write(struct ext4_fs *fs, struct tree *tree,
			struct img_err *err)
{
	struct tree_node *node = NULL;
	bool dirs = true;

	while ((node = next_node(tree, node, &dirs))) {
		int r = 0;

		if (dirs)
			r = ext4_dir_write(fs, node, err);
		if (r == 0)
			r = ext4_extents_write(fs, node, err);
		if (r < 0)
			return entry_blame_as("the tree of directories", err);
	}
	for (node = tree_first(tree); node; node = node->next)
		if (!node->links)
			ext4_file_forget(fs, node);
	return 0;
}

static int inodes_write(struct ext4_fs *fs, struct tree *tree,
			struct img_err *err)
{
	struct ext4_inodes inodes;
	struct tree_node *node = NULL;
	bool dirs = true;
	int r;

	ext4_inodes_init(&inodes, fs);
	reserved_count(fs);
	while ((node = next_node(tree, node, &dirs))) {
		r = ext4_inodes_put(&inodes, node, err);
		if (r == 0 && node->ino == EXT2_ROOT_INO && fs->n_journal)
			r = ext4_journal_inode(fs, &inodes, err);
		if (r < 0)
			return r;
		if (node->ino >= EXT2_GOOD_OLD_FIRST_INO)
			ext2fs_inode_alloc_stats2(fs->e2, node->ino, +1, dirs);
	}
	return ext4_inodes_end(&inodes, err);
}

int ext4_write_tree(struct ext4_fs *fs, struct tree *tree, struct img_err *err)
{
	errcode_t code;
	int r;

	numbers_give(tree);
	r = blocks_write(fs, tree, err);
	if (r == 0)
		r = inodes_write(fs, tree, err);
	if (r == 0 && fs->n_journal)
		r = ext4_journal_write(fs, err);
	if (r < 0)
		return r;
	ext4_fs_settle(fs);
	for (dgrp_t g = 0; g < fs->e2->group_desc_count; g++)
		ext2fs_group_desc_csum_set(fs->e2, g);
	code = ext2fs_flush2(fs->e2, EXT2_FLAG_FLUSH_NO_SYNC);
	if (code)
		return ext4_fs_failed(code, "write file system tables", err);
	return ext4_io_write_out(fs->e2->io, err);
}
