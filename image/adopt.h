#ifndef IMG_IMAGE_ADOPT_H
#define IMG_IMAGE_ADOPT_H

/*
 * An image, or a named volume, that only the ledger knows goes back into the
 * catalog.
 */
#include "storage/ledger.h"

/**
 * image_adopt - enter what a record tells of; the hook for store_open
 *
 * A name that another image has by now stays with that one.  Durable when it
 * returns 0; IMG_E_CORRUPT for a record that makes no sense.
 */
int image_adopt(struct store *store, const struct ledger_record *record,
		struct img_err *err) IMG_MUST_USE;

#endif
