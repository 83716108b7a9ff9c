#ifndef IMG_STORAGE_DISCARD_H
#define IMG_STORAGE_DISCARD_H

/*
 * Giving a thin volume's space back before it goes.
 *
 * Deleting a thin id returns its blocks to the pool, but tells nobody below.
 * So what only this volume maps is discarded first: the pool passes that on,
 * and the backing file gets holes.  Which blocks those are is read from the
 * pool's metadata; the cost follows what the volume has for itself.
 */
#include "storage/store_impl.h"

/* Activates the volume if there is something to discard.  Best effort: a
 * failure costs the host space, never anybody's data. */
void discard_exclusive(struct store *store, const struct volume *volume);

#endif
