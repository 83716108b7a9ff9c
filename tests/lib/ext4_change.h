#ifndef IMG_TESTS_LIB_EXT4_CHANGE_H
#define IMG_TESTS_LIB_EXT4_CHANGE_H

/*
 * A sound ext4 in memory, into which single changes are made: a few bytes of
 * one of its structures, and then that structure's checksum is made right
 * again.  So what reads it gets beyond the checksums.
 */
#include <stddef.h>
#include <stdint.h>

struct ext4_part;

struct ext4_change {
	uint8_t *bytes; /* of the file system, shared with its file */
	uint8_t *good;	/* as it was */
	size_t size;
	uint32_t block_bytes, desc_bytes, seed;
	struct ext4_part *parts;
	size_t n, room;
};

/* @fd: a file system that is sound; what is changed is changed in it.  Fails
 * the running test, or aborts, where it cannot be read. */
void ext4_change_init(struct ext4_change *change, int fd, const char *path);
void ext4_change_release(struct ext4_change *change);

/* Its structures: superblock, descriptors, bitmaps, inodes, directory blocks,
 * extent blocks, attribute blocks, the journal's superblock. */
size_t ext4_change_parts(const struct ext4_change *change);
const char *ext4_change_kind(const struct ext4_change *change, size_t part);

/* Puts @n bytes over those at @offset of a structure, both reduced so that they
 * are in it, and mends its checksum. */
void ext4_change_put(struct ext4_change *change, size_t part, size_t offset,
		     const void *bytes, size_t n);

/* All as it was. */
void ext4_change_undo(struct ext4_change *change);

#endif
