#include "tests/lib/fake_meta.h"

#include "base/cleanup.h"
#include "base/crc32c.h"
#include "base/num.h"
#include "storage/meta_format.h"
#include "tests/lib/fault.h"

#include <assert.h>
#include <endian.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Where things lie: any order is as good. */
enum {
	SUPER,
	META_INDEX_BLOCK,
	META_BITMAP_BLOCK,
	META_COUNTS,
	DATA_BITMAPS,
	DATA_BITMAP_BLOCK,
	DATA_COUNTS,
	DEVICES,
	DETAILS,
	EMPTY_MAPPING, /* shared by all volumes */
	HELD_SUPER,    /* the metadata snapshot, if there is one */
	HELD_DEVICES,
	HELD_DETAILS,
	ALL_BLOCKS,
};

#define META_BLOCKS 512u

union block {
	struct meta_disk_header head;
	struct meta_disk_super super;
	struct meta_disk_node node;
	struct meta_disk_index index;
	struct meta_disk_bitmap bitmap;
	uint8_t bytes[META_BLOCK_BYTES];
};

struct pool {
	union block block[ALL_BLOCKS];
};

static void seal(struct pool *pool, unsigned number, uint32_t salt)
{
	union block *b = &pool->block[number];

	b->head.block = htole64(number);
	b->head.csum = htole32(salt ^ crc32c_update(UINT32_MAX, b->bytes + 4,
						    sizeof(b->bytes) - 4));
}

static void leaf(struct pool *pool, unsigned number, uint32_t value_bytes)
{
	struct meta_disk_node *node = &pool->block[number].node;
	uint32_t max = (META_BLOCK_BYTES - sizeof(*node)) /
		       (uint32_t)(sizeof(uint64_t) + value_bytes) / 3 * 3;

	node->head.flags = htole32(META_NODE_LEAF);
	node->max_entries = htole32(max);
	node->value_bytes = htole32(value_bytes);
}

static void leaf_add(struct pool *pool, unsigned number, uint64_t key,
		     const void *value)
{
	union block *b = &pool->block[number];
	uint32_t n = le32toh(b->node.nr_entries);
	uint32_t max = le32toh(b->node.max_entries);
	uint32_t size = le32toh(b->node.value_bytes);

	assert(n < max);
	b->node.keys[n] = htole64(key);
	memcpy(b->bytes + sizeof(b->node) + max * sizeof(uint64_t) + n * size,
	       value, size);
	b->node.nr_entries = htole32(n + 1);
}

/* From three references on, the number is in the tree of counts. */
static void count(struct pool *pool, unsigned block, size_t refs)
{
	unsigned bits = refs > 2 ? 3u : (refs & 1) << 1 | (unsigned)refs >> 1;
	const uint32_t raw = htole32((uint32_t)refs);

	pool->block[META_BITMAP_BLOCK].bitmap.bits[block / 4] |=
		(uint8_t)(bits << (block % 4 * 2));
	if (refs > 2)
		leaf_add(pool, META_COUNTS, block, &raw);
}

static void fill_super(struct pool *pool, const struct fake_meta *meta,
		       unsigned used)
{
	const uint32_t chunk_sectors = (uint32_t)num_sectors(meta->chunk_bytes);
	struct meta_disk_super super = {
		.magic = htole64(META_MAGIC),
		.time = htole32(meta->time),
		.version = htole32(META_VERSION_MAX),
		.mapping_root = htole64(HELD_DEVICES),
		.details_root = htole64(HELD_DETAILS),
		.chunk_sectors = htole32(chunk_sectors),
		.meta_block_sectors = htole32(META_BLOCK_BYTES / SECTOR_BYTES),
		.meta_nr_blocks = htole64(META_BLOCKS),
	};

	if (meta->is_held) {
		pool->block[HELD_SUPER].super = super;
		super.snapshot_root = htole64(HELD_SUPER);
	}
	super.data_space = (struct meta_disk_space){
		.nr_blocks = htole64(meta->data_blocks),
		.bitmap_root = htole64(DATA_BITMAPS),
		.overflow_root = htole64(DATA_COUNTS),
	};
	super.meta_space = (struct meta_disk_space){
		.nr_blocks = htole64(META_BLOCKS),
		.nr_used = htole64(used),
		.bitmap_root = htole64(META_INDEX_BLOCK),
		.overflow_root = htole64(META_COUNTS),
	};
	super.mapping_root = htole64(DEVICES);
	super.details_root = htole64(DETAILS);
	pool->block[SUPER].super = super;
}

static void fill_devices(struct pool *pool, unsigned devices, unsigned details,
			 const uint32_t *ids, size_t n)
{
	const struct meta_disk_details none = { 0 };
	const uint64_t mapping = htole64(EMPTY_MAPPING);

	leaf(pool, devices, sizeof(uint64_t));
	leaf(pool, details, sizeof(none));
	for (size_t i = 0; i < n; i++) {
		leaf_add(pool, devices, ids[i], &mapping);
		leaf_add(pool, details, ids[i], &none);
	}
}

/* Returns how many blocks are in use. */
static unsigned fill_space(struct pool *pool, const struct fake_meta *meta)
{
	const struct meta_disk_index_entry bitmap = {
		.block = htole64(META_BITMAP_BLOCK),
	};
	const struct meta_disk_index_entry data = {
		.block = htole64(DATA_BITMAP_BLOCK),
	};
	size_t mapped = meta->n + (meta->is_held ? meta->n_held : 0);
	unsigned used = 0;

	pool->block[META_INDEX_BLOCK].index.entry[0] = bitmap;
	leaf(pool, META_COUNTS, sizeof(uint32_t));
	leaf(pool, DATA_BITMAPS, sizeof(data));
	leaf_add(pool, DATA_BITMAPS, 0, &data);
	leaf(pool, DATA_COUNTS, sizeof(uint32_t));
	for (unsigned i = 0; i < ALL_BLOCKS; i++) {
		size_t refs = i == EMPTY_MAPPING ? mapped
			      : i >= HELD_SUPER	 ? meta->is_held
						 : 1;

		count(pool, i, refs);
		used += refs > 0;
	}
	return used;
}

static void seal_all(struct pool *pool)
{
	static const uint32_t salts[ALL_BLOCKS] = {
		[SUPER] = 160774,
		[HELD_SUPER] = 160774,
		[META_INDEX_BLOCK] = 160478,
		[META_BITMAP_BLOCK] = 240779,
		[DATA_BITMAP_BLOCK] = 240779,
	};
	const uint32_t of_a_node = 121107;

	for (unsigned i = 0; i < ALL_BLOCKS; i++)
		seal(pool, i, salts[i] ? salts[i] : of_a_node);
}

void fake_meta_write(const char *path, const struct fake_meta *meta)
{
	img_auto(img_fd_release) int fd = -1;
	struct pool pool;

	memset(&pool, 0, sizeof(pool));
	fill_super(&pool, meta, fill_space(&pool, meta));
	fill_devices(&pool, DEVICES, DETAILS, meta->ids, meta->n);
	leaf(&pool, EMPTY_MAPPING, sizeof(uint64_t));
	if (meta->is_held)
		fill_devices(&pool, HELD_DEVICES, HELD_DETAILS, meta->held_ids,
			     meta->n_held);
	seal_all(&pool);
	fault_pause();
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert(fd >= 0);
	assert(pwrite(fd, &pool, sizeof(pool), 0) == (ssize_t)sizeof(pool));
	fault_go_on();
}
