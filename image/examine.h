#ifndef IMG_IMAGE_EXAMINE_H
#define IMG_IMAGE_EXAMINE_H

/*
 * The catalog's images held against the ledger's records of them.
 *
 * An image's record is written before the catalog hears of it, so where both
 * have an image, what the catalog says was acknowledged; and what only the
 * ledger has is whole.  Looks only, as storage/examine.h does.
 */
#include "storage/finding.h"

/* Returns 0 with what was found added to @ret, or what kept it from looking
 * at the catalog. */
int image_examine(struct store *store, struct findings *ret,
		  struct img_err *err) IMG_MUST_USE;

#endif
