#ifndef IMG_STORAGE_META_BLOCK_H
#define IMG_STORAGE_META_BLOCK_H

/*
 * Metadata blocks, read and verified, with a small cache.
 *
 * A pinned block stays where it is until it is unpinned.  The cache begins
 * with no memory touched, keeps to META_WARM blocks while so few are pinned,
 * and never grows past META_SLOTS, which is more than two walks and a lookup
 * can pin at once.
 */
#include "base/attr.h"
#include "base/err.h"
#include "storage/meta_format.h"

#include <stdint.h>

#define META_DEPTH_MAX 8  /* 42 pointers a node at least: 42^8 blocks */
#define META_WARM      12 /* blocks kept when nothing needs more */
#define META_SLOTS     (2 * META_DEPTH_MAX + 8)

enum meta_block_kind { META_SUPER, META_NODE, META_INDEX, META_BITMAP };

struct meta_slot {
	uint64_t block;
	uint32_t used; /* the tick of the last use; 0: empty */
	uint8_t kind;
	uint8_t pins;
};

struct meta_cache {
	int fd; /* borrowed */
	char *name;
	uint64_t nr_blocks; /* reads stay below */
	uint8_t *area;	    /* META_SLOTS blocks, page-aligned */
	struct meta_slot slot[META_SLOTS];
	unsigned touched; /* slots that were ever used */
	uint32_t tick;
};

/* A block held in place; zero-initialise. */
struct meta_pin {
	struct meta_cache *cache;
	union {
		const void *data; /* NULL: nothing pinned */
		const struct meta_disk_super *super;
		const struct meta_disk_node *node;
		const struct meta_disk_index *index;
		const struct meta_disk_bitmap *bitmap;
	};
};

/* @fd is borrowed, @name copied; nr_blocks starts as 1. */
int meta_cache_init(struct meta_cache *cache, int fd, const char *name,
		    struct img_err *err) IMG_MUST_USE;
/* Accepts a zeroed cache. */
void meta_cache_release(struct meta_cache *cache);

/**
 * meta_block_pin - read a block, or find it in the cache, and hold it
 * @pin: empty; filled on success, meta_pin_release() it
 *
 * What is handed out has the checksum and number of its kind; a node also has
 * counts that fit its block and keys that ascend.
 *
 * Returns 0, or -IMG_E_CORRUPT naming the block, or -IMG_E_SYS.
 */
int meta_block_pin(struct meta_cache *cache, uint64_t block,
		   enum meta_block_kind kind, struct meta_pin *pin,
		   struct img_err *err) IMG_MUST_USE;

/* Accepts an empty pin, leaves it empty; for img_auto too. */
void meta_pin_release(struct meta_pin *pin);

/* Records that a block is damaged: "NAME: block 17 MSG"; -IMG_E_CORRUPT. */
int meta_block_bad(const struct meta_cache *cache, uint64_t block,
		   struct img_err *err, const char *fmt, ...) IMG_PRINTF(4, 5);

#endif
