#include "image/ext4_file.h"

#include <stdlib.h>
#include <string.h>

/* Logical blocks have 32 bits, and the last one is not to be used. */
#define FILE_BYTES_MAX ((uint64_t)UINT32_MAX * EXT4_BLOCK_BYTES)

int ext4_file_begin(struct ext4_file *file, struct ext4_fs *fs,
		    struct tree_node *node, uint64_t size_bytes,
		    struct img_err *err)
{
	*file = (struct ext4_file){ .fs = fs, .node = node };
	if (size_bytes > FILE_BYTES_MAX)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "has %llu bytes; ext4 holds 16 TiB a file",
				   (unsigned long long)size_bytes);
	node->size_bytes = size_bytes;
	return 0;
}

static void zero_fill(struct ext4_file *file, size_t n)
{
	if (!n)
		return; /* place may be NULL */
	memset(file->place, 0, n);
	file->place += n;
	file->n_place -= n;
}

/* Takes blocks for up to @n bytes from at_bytes on. */
static int place_more(struct ext4_file *file, uint64_t n, struct img_err *err)
{
	struct ext4_fs *fs = file->fs;
	uint64_t skip = file->at_bytes % EXT4_BLOCK_BYTES, block, got = 0;
	uint64_t want = (skip + n + EXT4_BLOCK_BYTES - 1) / EXT4_BLOCK_BYTES;
	uint32_t taken = 0;
	int r = ext4_fs_take(fs, want, &block, &got, err);

	if (r == 0)
		r = ext4_out_run(&fs->out, block, got, &file->place, &taken,
				 err);
	if (r < 0)
		return r;
	ext4_fs_untake(fs, got - taken);
	tree_map_add(&file->node->map,
		     (uint32_t)(file->at_bytes / EXT4_BLOCK_BYTES), block,
		     taken);
	file->n_place = (size_t)taken * EXT4_BLOCK_BYTES;
	zero_fill(file, skip);
	return 0;
}

static void skip_to(struct ext4_file *file, uint64_t offset)
{
	uint64_t gap = offset - file->at_bytes;

	/* between stretches less than a block is left */
	zero_fill(file, gap < file->n_place ? gap : file->n_place);
	file->at_bytes = offset;
}

int ext4_file_data(struct ext4_file *file, const struct entry_data *data,
		   struct img_err *err)
{
	const uint8_t *from = data->bytes;
	size_t left = data->size_bytes;

	if (data->offset_bytes < file->at_bytes)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "has a map of holes that is out of order");
	if (data->offset_bytes > file->node->size_bytes ||
	    left > file->node->size_bytes - data->offset_bytes)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "has content beyond its size");
	if (!left)
		return 0;
	skip_to(file, data->offset_bytes);
	while (left) {
		size_t n = left;

		if (!file->n_place) {
			int r = place_more(file, left, err);

			if (r < 0)
				return r;
		}
		if (n > file->n_place)
			n = file->n_place;
		memcpy(file->place, from, n);
		file->place += n;
		file->n_place -= n;
		file->at_bytes += n;
		from += n;
		left -= n;
	}
	return 0;
}

void ext4_file_end(struct ext4_file *file)
{
	zero_fill(file, file->n_place);
}

void ext4_file_forget(struct ext4_fs *fs, struct tree_node *node)
{
	uint32_t n;
	struct tree_extent *e = tree_map_extents(&node->map, &n);

	for (uint32_t i = 0; i < n; i++)
		ext4_fs_free(fs, e[i].block, e[i].n_blocks);
	if (node->xattrs && node->xattrs->block)
		ext4_fs_free(fs, node->xattrs->block, 1);
	free(node->map.many);
	node->map = (struct tree_map){ 0 };
	node->xattrs = NULL;
}
