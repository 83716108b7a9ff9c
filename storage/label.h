#ifndef IMG_STORAGE_LABEL_H
#define IMG_STORAGE_LABEL_H

/*
 * The label of a data device: whose it is.
 *
 * Names of devices change from boot to boot, and a pool that is given the
 * wrong data destroys it.  So a block that follows the pool's data says which
 * store it belongs to; docs/on-disk.md has its format.  The metadata device
 * says the same by the pool's transaction id, which img uses for nothing else.
 */
#include "base/err.h"
#include "storage/store_impl.h"

#define LABEL_BYTES    4096u
#define LABEL_ROOT_MAX 1024u

struct label {
	char store_id[STORE_ID_LEN + 1];
	uint64_t data_bytes;	   /* of the pool; where the label lies, too */
	char root[LABEL_ROOT_MAX]; /* of the store that made it, for people */
};

/* How much of a device of @size_bytes a pool with such chunks can have. */
uint64_t label_data_bytes(uint64_t size_bytes, uint64_t chunk_bytes);

/* Durable when it returns 0.  @name: of the device, for messages. */
int label_write(int fd, const struct label *label, const char *name,
		struct img_err *err) IMG_MUST_USE;

/* Looks right behind @data_bytes.  1 found, 0 there is none, <0 failed. */
int label_read(int fd, uint64_t data_bytes, const char *name, struct label *ret,
	       struct img_err *err) IMG_MUST_USE;

#endif
