#ifndef IMG_STORAGE_EXAMINE_IMPL_H
#define IMG_STORAGE_EXAMINE_IMPL_H

/*
 * The parts of an examination.  Each returns 0, or <0 when it could not look.
 */
#include "storage/examine.h"
#include "storage/store_impl.h"
#include "storage/use.h"

/* What the kernel holds for somebody (storage/use.h), as of the beginning. */
struct examine_uses {
	struct use *all;
	size_t n;
};
int examine_uses(struct store *store, struct examine_uses *ret,
		 struct img_err *err) IMG_MUST_USE;
void examine_uses_release(struct examine_uses *uses);

typedef int examine_fn(struct store *store, struct findings *ret,
		       struct img_err *err);

examine_fn examine_catalog;  /* is it whole, are its intents of the living */
examine_fn examine_ledger;   /* can it be read, does it have the settings */
examine_fn examine_pool;     /* does it run as it should */
examine_fn examine_metadata; /* is it sound, with all its counts */
examine_fn examine_volumes;  /* are the rows' volumes there, and as large */
examine_fn examine_devices;  /* are the kernel's devices of the living */

#endif
