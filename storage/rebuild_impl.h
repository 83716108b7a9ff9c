#ifndef IMG_STORAGE_REBUILD_IMPL_H
#define IMG_STORAGE_REBUILD_IMPL_H

/*
 * What a rebuild learns of a store before it has a catalog.
 */
#include "storage/rebuild.h"
#include "storage/store_impl.h"

struct identity {
	const char *driver;
	char *settings; /* as storage/settings.h has them; NULL: unrecorded */
	/* Of a thin pool, from its superblock: 0 for others. */
	uint64_t chunk_bytes, data_bytes, metadata_bytes;
};
void identity_release(struct identity *identity);

/* True when there are volumes of a store below @root. */
bool identity_has_volumes(const struct store_options *options);

/* Reads it without a device, from a ledger's file or through the pool's
 * metadata.  IMG_E_NOT_FOUND when there is none. */
int identity_read(const struct store_options *options, struct identity *ret,
		  struct img_err *err) IMG_MUST_USE;

#endif
