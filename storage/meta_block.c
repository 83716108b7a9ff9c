#include "storage/meta_block.h"

#include "base/cleanup.h"
#include "base/crc32c.h"
#include "base/file.h"
#include "base/str.h"

#include <endian.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>

#define AREA_BYTES ((size_t)META_SLOTS * META_BLOCK_BYTES)

static const struct {
	uint32_t salt;
	const char *what;
} kinds[] = {
	[META_SUPER] = { 160774, "superblock" },
	[META_NODE] = { 121107, "tree node" },
	[META_INDEX] = { 160478, "space map index" },
	[META_BITMAP] = { 240779, "space map bitmap" },
};

int meta_cache_init(struct meta_cache *cache, int fd, const char *name,
		    struct img_err *err)
{
	void *area = mmap(NULL, AREA_BYTES, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (area == MAP_FAILED)
		return img_err_sys(err, "cannot get memory to read %s", name);
	*cache = (struct meta_cache){
		.fd = fd,
		.name = mem_strdup(name),
		.nr_blocks = 1,
		.area = area,
	};
	return 0;
}

void meta_cache_release(struct meta_cache *cache)
{
	if (cache->area)
		(void)munmap(cache->area, AREA_BYTES); /* our own mapping */
	free(cache->name);
	*cache = (struct meta_cache){ .fd = -1 };
}

int meta_block_bad(const struct meta_cache *cache, uint64_t block,
		   struct img_err *err, const char *fmt, ...)
{
	char text[160];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return img_err_set(err, IMG_E_CORRUPT, 0, "%s: block %" PRIu64 " %s",
			   cache->name, block, text);
}

/* The shape of a node, before anybody follows its counts. */
static int check_node(const struct meta_cache *cache, uint64_t block,
		      const struct meta_disk_node *node, struct img_err *err)
{
	uint32_t nr = le32toh(node->nr_entries);
	uint32_t max = le32toh(node->max_entries);
	uint32_t value = le32toh(node->value_bytes);
	uint32_t flags = le32toh(node->head.flags);

	if (flags != META_NODE_INTERNAL && flags != META_NODE_LEAF)
		return meta_block_bad(cache, block, err,
				      "is a tree node with flags %#" PRIx32,
				      flags);
	if (nr > max ||
	    max > (META_BLOCK_BYTES - sizeof(*node)) / sizeof(uint64_t) ||
	    value > META_BLOCK_BYTES ||
	    sizeof(*node) + (size_t)max * (sizeof(uint64_t) + value) >
		    META_BLOCK_BYTES)
		return meta_block_bad(cache, block, err,
				      "is a tree node with impossible counts");
	for (uint32_t i = 1; i < nr; i++)
		if (le64toh(node->keys[i - 1]) >= le64toh(node->keys[i]))
			return meta_block_bad(cache, block, err,
					      "is a tree node out of order");
	return 0;
}

static int check_block(const struct meta_cache *cache, uint64_t block,
		       enum meta_block_kind kind, const void *data,
		       struct img_err *err)
{
	const struct meta_disk_header *head = data;
	const uint8_t *rest = (const uint8_t *)data + sizeof(head->csum);
	uint32_t csum = crc32c_update(UINT32_MAX, rest,
				      META_BLOCK_BYTES - sizeof(head->csum));

	if (le32toh(head->csum) != (csum ^ kinds[kind].salt))
		return meta_block_bad(cache, block, err,
				      "has a wrong checksum for a %s",
				      kinds[kind].what);
	if (le64toh(head->block) != block)
		return meta_block_bad(cache, block, err,
				      "says it is block %" PRIu64,
				      le64toh(head->block));
	return kind == META_NODE ? check_node(cache, block, data, err) : 0;
}

static struct meta_slot *find_slot(struct meta_cache *cache, uint64_t block,
				   enum meta_block_kind kind)
{
	for (unsigned i = 0; i < cache->touched; i++) {
		struct meta_slot *slot = &cache->slot[i];

		if (slot->block == block && slot->kind == kind && slot->used)
			return slot;
	}
	return NULL;
}

/* The least recently used slot without pins; a fresh one while the cache is
 * small or all are pinned; NULL when there is none. */
static struct meta_slot *take_slot(struct meta_cache *cache)
{
	struct meta_slot *best = NULL;

	if (cache->touched < META_WARM)
		return &cache->slot[cache->touched++];
	for (unsigned i = 0; i < cache->touched; i++) {
		struct meta_slot *slot = &cache->slot[i];

		if (!slot->pins && (!best || slot->used < best->used))
			best = slot;
	}
	if (!best && cache->touched < META_SLOTS)
		best = &cache->slot[cache->touched++];
	return best;
}

static int load(struct meta_cache *cache, uint64_t block,
		enum meta_block_kind kind, struct meta_slot **ret,
		struct img_err *err)
{
	struct meta_slot *slot;
	uint8_t *data;
	int r;

	if (block >= cache->nr_blocks)
		return meta_block_bad(cache, block, err,
				      "is wanted as a %s, past the end",
				      kinds[kind].what);
	slot = take_slot(cache);
	if (!slot)
		return img_err_set(err, IMG_E_INTERNAL, 0,
				   "%s: too many blocks in use at once",
				   cache->name);
	slot->used = 0;
	data = cache->area + (size_t)(slot - cache->slot) * META_BLOCK_BYTES;
	r = file_pread(cache->fd, data, META_BLOCK_BYTES,
		       block * META_BLOCK_BYTES, cache->name, err);
	if (r < 0)
		return img_err_prefix(err, "block %" PRIu64, block);
	r = check_block(cache, block, kind, data, err);
	if (r < 0)
		return r;
	slot->block = block;
	slot->kind = (uint8_t)kind;
	*ret = slot;
	return 0;
}

int meta_block_pin(struct meta_cache *cache, uint64_t block,
		   enum meta_block_kind kind, struct meta_pin *pin,
		   struct img_err *err)
{
	struct meta_slot *slot = find_slot(cache, block, kind);

	if (!slot) {
		int r = load(cache, block, kind, &slot, err);

		if (r < 0 || !slot)
			return r;
	}
	/* A tick that wraps only makes one choice of a victim worse. */
	slot->used = ++cache->tick ? cache->tick : ++cache->tick;
	slot->pins++;
	pin->cache = cache;
	pin->data =
		cache->area + (size_t)(slot - cache->slot) * META_BLOCK_BYTES;
	return 0;
}

void meta_pin_release(struct meta_pin *pin)
{
	const uint8_t *data = pin->data;

	if (data) {
		struct meta_cache *cache = pin->cache;

		cache->slot[(size_t)(data - cache->area) / META_BLOCK_BYTES]
			.pins--;
	}
	pin->data = NULL;
}
