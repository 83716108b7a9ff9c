#ifndef IMG_STORAGE_EXAMINE_H
#define IMG_STORAGE_EXAMINE_H

/*
 * Three truths held against each other: what the catalog says, what the
 * pool's metadata says, and what devices the kernel has.
 *
 * Only looks.  What is found may be the work of a moment that a living process
 * is at: whoever acts on it looks twice, some time apart, and believes what is
 * there both times.  A store to be examined is opened with the option that
 * nothing is recovered, else most of it is mended before it is seen.
 *
 * Damage in one place hides nothing in another: each part is looked at by
 * itself, and what cannot be looked at is a finding.
 */
#include "storage/finding.h"

/**
 * examine_store - look at all that storage/ keeps
 *
 * Brings the pool up.  The metadata are read and compared while nothing is
 * committed, or, in a pool that is written to all the time, held still, when
 * their counts cannot be compared.
 *
 * Returns 0 with whatever was found added to @ret; IMG_E_NO_DM without
 * device-mapper.
 */
int examine_store(struct store *store, struct findings *ret,
		  struct img_err *err) IMG_MUST_USE;

#endif
