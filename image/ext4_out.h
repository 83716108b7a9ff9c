#ifndef IMG_IMAGE_EXT4_OUT_H
#define IMG_IMAGE_EXT4_OUT_H

/*
 * Blocks on their way to the device: filled in one buffer, written in few
 * large writes that end where a chunk of the pool ends.
 *
 * The caller asks for the place of a block and fills all of it before it asks
 * for the next; asking for consecutive blocks makes one write.  Direct I/O is
 * used where the file takes it, so nothing passes through the page cache.
 */
#include "base/err.h"

#include <stdint.h>

#define EXT4_BLOCK_BYTES 4096u

struct ext4_out {
	int fd;
	int flags; /* of fd, as they were; -1: not changed */
	uint8_t *buffer;
	uint32_t n_buffer, n_chunk; /* blocks */
	uint64_t first;		    /* block that the buffer begins with */
	uint32_t n_filled, n_room;  /* blocks, from first */
	uint64_t written_bytes;
};

/* Ends the program when memory runs out.  @fd is borrowed; O_DIRECT is set on
 * it, if it can be, until the release. */
void ext4_out_init(struct ext4_out *out, int fd, uint32_t chunk_bytes)
	IMG_NONNULL(1);
/* Drops what was not written. */
void ext4_out_release(struct ext4_out *out) IMG_NONNULL(1);

/**
 * ext4_out_run - a place for consecutive blocks
 * @n: how many are wanted, at least 1
 * @ret: where to put them
 * @ret_n: how many there is room for, 1 to @n; those must all be filled
 *
 * Writes the buffer when it is full or when @block does not follow the last.
 *
 * Returns 0, -IMG_E_NO_SPACE when the pool or device under the file is full,
 * or -IMG_E_SYS.
 */
int ext4_out_run(struct ext4_out *out, uint64_t block, uint64_t n,
		 uint8_t **ret, uint32_t *ret_n,
		 struct img_err *err) IMG_MUST_USE IMG_NONNULL(1, 4, 5, 6);

/* A place for one block. */
int ext4_out_block(struct ext4_out *out, uint64_t block, uint8_t **ret,
		   struct img_err *err) IMG_MUST_USE IMG_NONNULL(1, 3, 4);

/* Writes what is in the buffer; errors as for ext4_out_run. */
int ext4_out_flush(struct ext4_out *out, struct img_err *err) IMG_MUST_USE
	IMG_NONNULL(1, 2);

/* Flushes, and makes everything durable. */
int ext4_out_sync(struct ext4_out *out, struct img_err *err) IMG_MUST_USE
	IMG_NONNULL(1, 2);

#endif
