#include "image/ext4_extent.h"

#include <ext2fs/ext3_extents.h>
#include <string.h>

#define IN_ROOT	 4u
#define IN_BLOCK ((EXT4_BLOCK_BYTES - sizeof(struct ext3_extent_header)) / 12u)

/* A header and its entries: extents at depth 0, index entries above. */
static void encode(void *to, const struct tree_extent *e, uint32_t n,
		   uint16_t max, uint16_t depth)
{
	struct ext3_extent_header *header = to;
	struct ext3_extent *extent = EXT_FIRST_EXTENT(header);
	struct ext3_extent_idx *idx = EXT_FIRST_INDEX(header);

	header->eh_magic = EXT3_EXT_MAGIC;
	header->eh_entries = (uint16_t)n;
	header->eh_max = max;
	header->eh_depth = depth;
	header->eh_generation = 0;
	for (uint32_t i = 0; i < n; i++, e++) {
		if (depth) {
			idx[i] = (struct ext3_extent_idx){
				.ei_block = e->logical,
				.ei_leaf = (uint32_t)e->block,
				.ei_leaf_hi = (uint16_t)(e->block >> 32),
			};
		} else {
			extent[i] = (struct ext3_extent){
				.ee_block = e->logical,
				.ee_len = (uint16_t)e->n_blocks,
				.ee_start_hi = (uint16_t)(e->block >> 32),
				.ee_start = (uint32_t)e->block,
			};
		}
	}
}

/* Writes one level of the tree, whose entries are replaced by those of the
 * level above. */
static int level_write(struct ext4_fs *fs, struct tree_node *node,
		       struct img_err *err)
{
	struct tree_extents *many = node->map.many;
	uint32_t n_up = 0;

	for (uint32_t i = 0; i < many->count; i += (uint32_t)IN_BLOCK) {
		uint32_t n = many->count - i, logical = many->e[i].logical;
		uint64_t block;
		uint8_t *place;
		errcode_t code;
		int r = ext4_fs_new_block(fs, &block, &place, err);

		if (r < 0)
			return r;
		if (n > IN_BLOCK)
			n = (uint32_t)IN_BLOCK;
		memset(place, 0, EXT4_BLOCK_BYTES);
		encode(place, &many->e[i], n, IN_BLOCK, many->depth);
		code = ext2fs_extent_block_csum_set(fs->e2, node->ino,
						    (void *)place);
		if (code)
			return ext4_fs_failed(code, "seal extents", err);
		many->e[n_up++] = (struct tree_extent){ .logical = logical,
							.block = block };
	}
	many->own_blocks += n_up;
	many->count = n_up;
	many->depth++;
	return 0;
}

int ext4_extents_write(struct ext4_fs *fs, struct tree_node *node,
		       struct img_err *err)
{
	while (node->map.many && node->map.many->count > IN_ROOT) {
		int r = level_write(fs, node, err);

		if (r < 0)
			return r;
	}
	return 0;
}

void ext4_extents_root(struct tree_map *map, void *i_block)
{
	uint32_t n;
	struct tree_extent *e = tree_map_extents(map, &n);

	encode(i_block, e, n, IN_ROOT, map->many ? map->many->depth : 0);
}
