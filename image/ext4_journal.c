#include "image/ext4_journal.h"

#include "image/ext4_extent.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void node_init(struct ext4_fs *fs, struct tree_node *node)
{
	*node = (struct tree_node){ .ino = EXT2_JOURNAL_INO,
				    .mode = S_IFREG | 0600,
				    .links = 1,
				    .mtime_s = fs->now_s };
	node->size_bytes = fs->n_journal * EXT4_BLOCK_BYTES;
	tree_map_add(&node->map, 0, fs->journal_block, (uint32_t)fs->n_journal);
}

int ext4_journal_inode(struct ext4_fs *fs, struct ext4_inodes *inodes,
		       struct img_err *err)
{
	struct tree_node node;
	int r;

	node_init(fs, &node);
	r = ext4_inodes_put(inodes, &node, err);
	free(node.map.many);
	return r;
}

int ext4_journal_write(struct ext4_fs *fs, struct img_err *err)
{
	struct ext2fs_journal_params params = { .num_journal_blocks =
							(blk_t)fs->n_journal };
	struct ext2_super_block *sb = fs->e2->super;
	struct tree_node node;
	char *journal = NULL;
	uint8_t *place;
	errcode_t code =
		ext2fs_create_journal_superblock2(fs->e2, &params, 0, &journal);
	int r;

	if (code)
		return ext4_fs_failed(code, "make a journal", err);
	r = ext4_out_block(&fs->out, fs->journal_block, &place, err);
	if (r == 0)
		memcpy(place, journal, EXT4_BLOCK_BYTES);
	ext2fs_free_mem(&journal);
	node_init(fs, &node);
	sb->s_journal_inum = EXT2_JOURNAL_INO;
	ext4_extents_root(&node.map, sb->s_jnl_blocks);
	sb->s_jnl_blocks[15] = (uint32_t)(node.size_bytes >> 32);
	sb->s_jnl_blocks[16] = (uint32_t)node.size_bytes;
	sb->s_jnl_backup_type = EXT3_JNL_BACKUP_BLOCKS;
	ext2fs_set_feature_journal(sb);
	free(node.map.many);
	return r;
}
