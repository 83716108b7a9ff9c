#include "image/tree.h"

#include "base/str.h"

static bool extent_joins(const struct tree_extent *last, uint32_t logical,
			 uint64_t block)
{
	return last->n_blocks && last->logical + last->n_blocks == logical &&
	       last->block + last->n_blocks == block;
}

static struct tree_extent *map_push(struct tree_map *map)
{
	struct tree_extents *many = map->many;
	uint32_t capacity = many ? many->capacity : 0;

	if (!map->one.n_blocks && !many)
		return &map->one;
	if (!many || many->count == capacity) {
		capacity = capacity ? capacity * 2 : 4;
		many = mem_realloc(many, sizeof(*many) +
						 capacity * sizeof(many->e[0]));
		if (!map->many) {
			*many = (struct tree_extents){ .count = 1 };
			many->blocks = map->one.n_blocks;
			many->e[0] = map->one;
		}
		many->capacity = capacity;
		map->many = many;
	}
	return &many->e[many->count++];
}

void tree_map_add(struct tree_map *map, uint32_t logical, uint64_t block,
		  uint32_t n_blocks)
{
	struct tree_extent *last = &map->one;

	if (map->many)
		last = &map->many->e[map->many->count - 1];
	while (n_blocks) {
		uint32_t take = n_blocks;

		if (!extent_joins(last, logical, block) ||
		    last->n_blocks == TREE_EXTENT_MAX) {
			last = map_push(map);
			*last = (struct tree_extent){ .logical = logical,
						      .block = block };
		}
		if (take > TREE_EXTENT_MAX - last->n_blocks)
			take = TREE_EXTENT_MAX - last->n_blocks;
		last->n_blocks += take;
		if (map->many)
			map->many->blocks += take;
		logical += take;
		block += take;
		n_blocks -= take;
	}
}

struct tree_extent *tree_map_extents(struct tree_map *map, uint32_t *ret_count)
{
	if (map->many) {
		*ret_count = map->many->count;
		return map->many->e;
	}
	*ret_count = map->one.n_blocks ? 1 : 0;
	return &map->one;
}

uint64_t tree_map_blocks(const struct tree_map *map)
{
	if (map->many)
		return map->many->blocks + map->many->own_blocks;
	return map->one.n_blocks;
}
