#include "image/ext4_fs.h"

#include "base/num.h"
#include "base/str.h"

#include <stdlib.h>

int ext4_fs_full(const struct ext4_fs *fs, struct img_err *err)
{
	char size[SIZE_TEXT_MAX];

	return img_err_set(err, IMG_E_NO_SPACE, 0,
			   "does not fit in a volume of %s",
			   num_format_size(fs->size_bytes, size));
}

/* The next stretch of free blocks from @from on; false at the end. */
static bool next_area(const struct ext4_fs *fs, uint64_t from, uint64_t *start,
		      uint64_t *end)
{
	uint64_t n_blocks = ext2fs_blocks_count(fs->e2->super);
	blk64_t found;

	if (from >= n_blocks ||
	    ext2fs_find_first_zero_block_bitmap2(fs->e2->block_map, from,
						 n_blocks - 1, &found))
		return false;
	*start = found;
	*end = n_blocks;
	if (!ext2fs_find_first_set_block_bitmap2(fs->e2->block_map, found,
						 n_blocks - 1, &found))
		*end = found;
	return true;
}

int ext4_fs_take(struct ext4_fs *fs, uint64_t n, uint64_t *ret_block,
		 uint64_t *ret_n, struct img_err *err)
{
	if (fs->next == fs->area_end &&
	    !next_area(fs, fs->area_end, &fs->next, &fs->area_end))
		return ext4_fs_full(fs, err);
	if (n > fs->area_end - fs->next)
		n = fs->area_end - fs->next;
	*ret_block = fs->next;
	*ret_n = n;
	fs->next += n;
	fs->n_left -= n;
	return 0;
}

void ext4_fs_untake(struct ext4_fs *fs, uint64_t n)
{
	fs->next -= n;
	fs->n_left += n;
}

int ext4_fs_new_block(struct ext4_fs *fs, uint64_t *ret_block, uint8_t **ret,
		      struct img_err *err)
{
	uint64_t one;
	int r = ext4_fs_take(fs, 1, ret_block, &one, err);

	if (r < 0)
		return r;
	return ext4_out_block(&fs->out, *ret_block, ret, err);
}

void ext4_fs_free(struct ext4_fs *fs, uint64_t block, uint64_t n)
{
	struct ext4_freed *freed = mem_alloc(sizeof(*freed));

	freed->next = fs->freed;
	freed->block = block;
	freed->n = n;
	fs->freed = freed;
}

void ext4_fs_settle(struct ext4_fs *fs)
{
	uint64_t start = fs->data_block, end = start;

	while (next_area(fs, end, &start, &end) && start < fs->next) {
		if (end > fs->next)
			end = fs->next;
		ext2fs_block_alloc_stats_range(fs->e2, start,
					       (blk_t)(end - start), +1);
	}
	while (fs->freed) {
		struct ext4_freed *next = fs->freed->next;

		ext2fs_block_alloc_stats_range(fs->e2, fs->freed->block,
					       (blk_t)fs->freed->n, -1);
		free(fs->freed);
		fs->freed = next;
	}
}

uint64_t ext4_fs_used_bytes(const struct ext4_fs *fs)
{
	return (fs->n_free - ext2fs_free_blocks_count(fs->e2->super)) *
	       EXT4_BLOCK_BYTES;
}

uint64_t ext4_fs_n_inodes(const struct ext4_fs *fs)
{
	/* of the first ten, the root's is one */
	return fs->e2->super->s_inodes_count - EXT2_GOOD_OLD_FIRST_INO + 2;
}
