#ifndef IMG_STORAGE_ORPHANS_H
#define IMG_STORAGE_ORPHANS_H

/*
 * Volumes that only one of the pool and the catalog has.
 *
 * An orphan is in the pool, and neither a row nor a record of the ledger
 * names it.  A missing volume has a row and nothing in the pool.  What living
 * processes are making or removing is neither: a row is there before its
 * volume is made and until it is gone, and ids are not used again.
 */
#include "storage/volume.h"

#include <stdbool.h>
#include <stddef.h>

/* Ids, ascending.  Zero-initialise. */
struct volume_ids {
	uint32_t *id;
	size_t n, room;
};

/* @id must be greater than those before. */
void volume_ids_add(struct volume_ids *ids, uint32_t id);
bool volume_ids_has(const struct volume_ids *ids, uint32_t id);
void volume_ids_release(struct volume_ids *ids);

/* All volumes of the pool but the ledger, as of its last commit. */
int orphans_list_pool(struct store *store, struct volume_ids *ret,
		      struct img_err *err) IMG_MUST_USE;

/**
 * orphans_find - list the orphans
 * @ret: zeroed; volume_ids_release() it
 *
 * Returns 0, or IMG_E_CORRUPT when the metadata or the ledger is damaged:
 * then nobody can tell what an orphan is.
 */
int orphans_find(struct store *store, struct volume_ids *ret,
		 struct img_err *err) IMG_MUST_USE;

/* Rows without a volume. */
int orphans_find_missing(struct store *store, struct volume_ids *ret,
			 struct img_err *err) IMG_MUST_USE;

/* Removes an orphan as any volume is removed; one that is somebody's by now
 * is left alone. */
int orphans_remove(struct store *store, uint32_t id,
		   struct img_err *err) IMG_MUST_USE;

/* Gives an orphan a row, of the size and origin that it can be seen to have,
 * for who knows what it is.  IMG_E_EXISTS for one that is somebody's by now. */
int orphans_keep(struct store *store, uint32_t id, struct volume *ret,
		 struct img_err *err) IMG_MUST_USE;

/* Drops the rows of a missing volume, by the vanished hook; those of an image
 * stay, since no crash does that. */
int orphans_forget(struct store *store, uint32_t id,
		   struct img_err *err) IMG_MUST_USE;

#endif
