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
	USED_BLOCKS,
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
	union block block[USED_BLOCKS];
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

/* One or two references; more would want the tree of counts. */
static void count(struct pool *pool, unsigned bitmap, unsigned block,
		  unsigned refs)
{
	unsigned bits = (refs & 1) << 1 | refs >> 1;

	pool->block[bitmap].bitmap.bits[block / 4] |=
		(uint8_t)(bits << (block % 4 * 2));
}

static void fill_super(struct pool *pool, uint64_t chunk_bytes,
		       uint64_t data_blocks)
{
	pool->block[SUPER].super = (struct meta_disk_super){
		.magic = htole64(META_MAGIC),
		.version = htole32(META_VERSION_MAX),
		.data_space = { .nr_blocks = htole64(data_blocks),
				.bitmap_root = htole64(DATA_BITMAPS),
				.overflow_root = htole64(DATA_COUNTS) },
		.meta_space = { .nr_blocks = htole64(META_BLOCKS),
				.nr_used = htole64(USED_BLOCKS),
				.bitmap_root = htole64(META_INDEX_BLOCK),
				.overflow_root = htole64(META_COUNTS) },
		.mapping_root = htole64(DEVICES),
		.details_root = htole64(DETAILS),
		.chunk_sectors = htole32((uint32_t)num_sectors(chunk_bytes)),
		.meta_block_sectors = htole32(META_BLOCK_BYTES / SECTOR_BYTES),
		.meta_nr_blocks = htole64(META_BLOCKS),
	};
}

static void fill_devices(struct pool *pool, const uint32_t *ids, size_t n)
{
	const struct meta_disk_details none = { 0 };
	const uint64_t mapping = htole64(EMPTY_MAPPING);

	leaf(pool, DEVICES, sizeof(uint64_t));
	leaf(pool, DETAILS, sizeof(none));
	leaf(pool, EMPTY_MAPPING, sizeof(uint64_t));
	for (size_t i = 0; i < n; i++) {
		leaf_add(pool, DEVICES, ids[i], &mapping);
		leaf_add(pool, DETAILS, ids[i], &none);
	}
}

static void fill_space(struct pool *pool, size_t n)
{
	const struct meta_disk_index_entry meta = {
		.block = htole64(META_BITMAP_BLOCK),
	};
	const struct meta_disk_index_entry data = {
		.block = htole64(DATA_BITMAP_BLOCK),
	};

	pool->block[META_INDEX_BLOCK].index.entry[0] = meta;
	for (unsigned i = 0; i < USED_BLOCKS; i++)
		count(pool, META_BITMAP_BLOCK, i,
		      i == EMPTY_MAPPING && n > 1 ? 2 : 1);
	leaf(pool, META_COUNTS, sizeof(uint32_t));
	leaf(pool, DATA_BITMAPS, sizeof(data));
	leaf_add(pool, DATA_BITMAPS, 0, &data);
	leaf(pool, DATA_COUNTS, sizeof(uint32_t));
}

static void seal_all(struct pool *pool)
{
	static const uint32_t salts[USED_BLOCKS] = {
		[SUPER] = 160774,
		[META_INDEX_BLOCK] = 160478,
		[META_BITMAP_BLOCK] = 240779,
		[DATA_BITMAP_BLOCK] = 240779,
	};
	const uint32_t of_a_node = 121107;

	for (unsigned i = 0; i < USED_BLOCKS; i++)
		seal(pool, i, salts[i] ? salts[i] : of_a_node);
}

void fake_meta_write(const char *path, const uint32_t *ids, size_t n,
		     uint64_t chunk_bytes, uint64_t data_blocks)
{
	img_auto(img_fd_release) int fd = -1;
	struct pool pool;

	memset(&pool, 0, sizeof(pool));
	fill_super(&pool, chunk_bytes, data_blocks);
	fill_devices(&pool, ids, n);
	fill_space(&pool, n);
	seal_all(&pool);
	fault_pause();
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert(fd >= 0);
	assert(pwrite(fd, &pool, sizeof(pool), 0) == (ssize_t)sizeof(pool));
	fault_go_on();
}
