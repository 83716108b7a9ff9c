#ifndef IMG_STORAGE_META_FORMAT_H
#define IMG_STORAGE_META_FORMAT_H

/*
 * Thin pool metadata as it lies on disk: little-endian, in blocks of 4096
 * bytes.  Source: drivers/md/dm-thin-metadata.c, and in
 * drivers/md/persistent-data/ dm-btree-internal.h and dm-space-map-common.h.
 */
#include <stddef.h>
#include <stdint.h>

#define META_BLOCK_BYTES 4096u
#define META_MAGIC	 27022010u
/* The kernel writes 2, thin_restore writes 1 for the same layout. */
#define META_VERSION_MAX 2u
#define META_NEEDS_CHECK 1u

/* A value of the mapping tree: data block above, time below. */
#define META_TIME_BITS 24
#define META_TIME_MASK ((1u << META_TIME_BITS) - 1)

/* A thin device id has 24 bits. */
#define META_DEV_MAX 0xffffffu

/* Every block of whatever kind starts so. */
struct meta_disk_header {
	uint32_t csum; /* CRC-32C of all that follows, salted by kind */
	uint32_t flags;
	uint64_t block; /* its own number */
};

struct meta_disk_space {
	uint64_t nr_blocks, nr_used, bitmap_root, overflow_root;
};

struct meta_disk_super {
	struct meta_disk_header head;
	uint8_t uuid[16];
	uint64_t magic;
	uint32_t version, time;
	uint64_t transaction_id;
	uint64_t snapshot_root;
	struct meta_disk_space data_space;
	uint8_t data_space_unused[96];
	struct meta_disk_space meta_space;
	uint8_t meta_space_unused[96];
	uint64_t mapping_root, details_root;
	uint32_t chunk_sectors, meta_block_sectors;
	uint64_t meta_nr_blocks;
	uint32_t compat_flags, compat_ro_flags, incompat_flags, unused;
};
_Static_assert(offsetof(struct meta_disk_super, data_space) == 64, "layout");
_Static_assert(offsetof(struct meta_disk_super, mapping_root) == 320, "layout");
_Static_assert(offsetof(struct meta_disk_super, incompat_flags) == 360,
	       "layout");

struct meta_disk_details {
	uint64_t mapped_blocks, transaction_id;
	uint32_t creation_time, snapshotted_time;
};

#define META_NODE_INTERNAL 1u
#define META_NODE_LEAF	   2u

/* nr_entries keys follow, then, after max_entries keys, as many values. */
struct meta_disk_node {
	struct meta_disk_header head;
	uint32_t nr_entries, max_entries, value_bytes, unused;
	uint64_t keys[];
};
_Static_assert(sizeof(struct meta_disk_node) == 32, "layout");

/* Where a bitmap block lies.  The metadata's own space map has them in one
 * index block, the data's has them as values of a tree. */
struct meta_disk_index_entry {
	uint64_t block;
	uint32_t nr_free, none_free_before;
};

#define META_INDEX_MAX 255u
struct meta_disk_index {
	struct meta_disk_header head;
	struct meta_disk_index_entry entry[META_INDEX_MAX];
};
_Static_assert(sizeof(struct meta_disk_index) == META_BLOCK_BYTES, "layout");

/* Two bits a block, the more significant one first; 3 sends the reader to
 * the overflow tree. */
#define META_BITMAP_BYTES   (META_BLOCK_BYTES - sizeof(struct meta_disk_header))
#define META_BITMAP_ENTRIES (META_BITMAP_BYTES * 4)
#define META_REFS_OVERFLOW  3u
struct meta_disk_bitmap {
	struct meta_disk_header head;
	uint8_t bits[META_BITMAP_BYTES];
};

#endif
