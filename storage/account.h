#ifndef IMG_STORAGE_ACCOUNT_H
#define IMG_STORAGE_ACCOUNT_H

/*
 * Who uses how much of the store, as its driver counts it: the driver "thin"
 * reads the pool's own metadata, the driver "snapshot" the files' blocks.
 */
#include "storage/volume.h"

struct account;

/* Borrows @store. */
int account_open(struct store *store, struct account **ret,
		 struct img_err *err) IMG_MUST_USE;
void account_close(struct account **account);

struct account_usage {
	uint64_t mapped_bytes;	  /* what the volume refers to */
	uint64_t exclusive_bytes; /* what would be free without it */
};
/* A volume that has no blocks yet, or is gone, uses nothing. */
int account_volume(struct account *account, uint32_t volume,
		   struct account_usage *ret, struct img_err *err) IMG_MUST_USE;

/* Bytes of @volume that differ from @base: what was added or changed. */
int account_change(struct account *account, uint32_t base, uint32_t volume,
		   uint64_t *ret_bytes, struct img_err *err) IMG_MUST_USE;

/* Bytes of the host that the pool's backing files take. */
int account_host_bytes(struct account *account, uint64_t *ret,
		       struct img_err *err) IMG_MUST_USE;

#endif
