#ifndef IMG_STORAGE_SNAP_COW_H
#define IMG_STORAGE_SNAP_COW_H

/*
 * The persistent exception store of dm-snapshot, on one open file: read, and
 * laid over a copy of its origin.
 *
 * Everything is little-endian, in chunks.  Chunk 0 is the header: magic
 * "SnAp", valid (32 bits each), version 1, chunk size in sectors.  Then come
 * areas: a chunk of pairs (chunk of the origin, chunk of the store; 64 bits
 * each), and as many chunks of data as a chunk holds pairs.  The first pair
 * whose second half is 0 ends the list.  A store that reads as zeroes is a new
 * one: the kernel writes its header.
 *
 * Source: drivers/md/dm-snap-persistent.c.  A store in use may be read too: an
 * exception is on the disk before its write is acknowledged.
 */
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct snap_cow {
	bool is_new;   /* nothing was written yet */
	bool is_valid; /* the kernel has not given it up */
	uint64_t chunk_bytes;
	uint64_t size_bytes; /* of the file */
};

struct snap_exception {
	uint64_t old_offset, new_offset; /* bytes, in origin and store */
};

/* How large a store must be that can hold all of an origin changed. */
uint64_t snap_cow_bytes(uint64_t origin_bytes, uint64_t chunk_bytes);

/* Reads the header.  @what names the store in messages.  IMG_E_CORRUPT when it
 * is none. */
int snap_cow_open(int fd, const char *what, struct snap_cow *ret,
		  struct img_err *err) IMG_MUST_USE;

/* Calls @fn for each exception of a valid store; a non-zero return ends the
 * walk and is returned.  IMG_E_CORRUPT when one points outside. */
int snap_cow_each(int fd, const char *what, const struct snap_cow *cow,
		  int (*fn)(void *self, const struct snap_exception *exception,
			    struct img_err *err),
		  void *self, struct img_err *err) IMG_MUST_USE;

/**
 * snap_cow_apply - write what a store holds over a copy of its origin
 * @to: as large as the origin or larger
 * @ret_bytes: how much that was
 *
 * IMG_E_CORRUPT for a store that the kernel has given up.  Not synced.
 */
int snap_cow_apply(int cow_fd, const char *what, int to, uint64_t *ret_bytes,
		   struct img_err *err) IMG_MUST_USE;

#endif
