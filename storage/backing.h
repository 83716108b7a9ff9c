#ifndef IMG_STORAGE_BACKING_H
#define IMG_STORAGE_BACKING_H

/*
 * What the pool lies on: two sparse files of the store, or two block devices.
 *
 * Files are attached to loop devices that live as long as the pool's table
 * (storage/loop.h).  Devices are known by what is on them, not by their names:
 * the metadata device by the pool's transaction id, which is the beginning of
 * the store's id as a number, the data device by its label.  One whose name
 * changed is looked for among all of the system's; what is not the store's
 * own is never given to the pool.
 */
#include "storage/loop.h"
#include "storage/store_impl.h"

#include <stdbool.h>
#include <stdint.h>

enum backing_part { BACKING_DATA, BACKING_METADATA };

bool backing_is_device(const struct store *store);

/* The file or device; the caller frees it. */
char *backing_name(const struct store *store, enum backing_part part);

/* Opens it for reading what the kernel committed, as thin_meta_open wants
 * it; *ret_fd is the caller's. */
int backing_open(struct store *store, enum backing_part part, int *ret_fd,
		 struct img_err *err) IMG_MUST_USE;

/**
 * backing_attach - get both parts ready for the pool's table
 *
 * Returns 0, or IMG_E_NOT_FOUND or IMG_E_CORRUPT where a device is gone or
 * holds something else and none of the system's is the one.
 */
int backing_attach(struct store *store, struct loop *data,
		   struct loop *metadata, struct img_err *err) IMG_MUST_USE;

/* After the pool came up: puts the store's mark into new metadata.  A crash
 * before is made good by the next start. */
int backing_mark(struct store *store, struct img_err *err) IMG_MUST_USE;

/* Bytes of the host's file system that the two files take; 0 for devices. */
int backing_host_bytes(struct store *store, uint64_t *ret_data,
		       uint64_t *ret_metadata,
		       struct img_err *err) IMG_MUST_USE;

#endif
