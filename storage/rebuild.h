#ifndef IMG_STORAGE_REBUILD_H
#define IMG_STORAGE_REBUILD_H

/*
 * A catalog made again from the pool alone.
 *
 * The ledger has the store's settings and every image; what else is in the
 * pool was a container's, or a snapshot of one: it gets a row as well, and
 * the caller makes a container of it.  Nothing is removed, and nothing but
 * the catalog is written.
 */
#include "storage/volume.h"

struct rebuild_options {
	const struct store_options *store; /* with the adopt hook */
	/* A volume that is no image's; it has a row.  Its origin, if any, is
	 * the image that it shares most with. */
	int (*found)(struct store *store, const struct volume *volume,
		     struct img_err *err);
};

struct rebuild_result {
	unsigned images, others;
	bool new_id; /* the ledger did not have the store's settings */
	char *aside; /* where the old catalog is now; NULL: there was none */
};
void rebuild_result_release(struct rebuild_result *result);

/**
 * rebuild_catalog - make a new catalog for a store that lost its own
 *
 * It is made beside the old one, which is then put aside, and put in its
 * place: a crash at any point leaves a store without catalog, or with the old
 * one, and the next call begins anew.
 *
 * Returns 0, or IMG_E_EXISTS (the catalog is whole), IMG_E_NOT_FOUND (there is
 * nothing to make it from), IMG_E_BUSY (containers run, or a pool is up whose
 * id was never recorded), IMG_E_NO_DM, or what failed.
 */
int rebuild_catalog(const struct rebuild_options *options,
		    struct rebuild_result *ret,
		    struct img_err *err) IMG_MUST_USE;

#endif
