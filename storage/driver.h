#ifndef IMG_STORAGE_DRIVER_H
#define IMG_STORAGE_DRIVER_H

/*
 * A storage driver: how volumes, snapshots and their devices are made.
 *
 * Everything above (intents, catalog, recovery) is the same for all drivers.
 * Every operation may be repeated: what is already as it should be is no
 * failure, since recovery runs them again after a crash at any point.
 */
#include "storage/volume.h"

struct driver {
	const char *name;
	/* Brings up what all volumes share; the store's lock is held. */
	int (*start)(struct store *store, struct img_err *err);
	/* Takes it down; IMG_E_BUSY while a volume is active. */
	int (*stop)(struct store *store, struct img_err *err);
	/* 1 when up, 0 when not. */
	int (*is_started)(struct store *store, struct img_err *err);

	int (*create)(struct store *store, const struct volume *volume,
		      struct img_err *err);
	/* @volume->origin is the volume to take a snapshot of. */
	int (*snapshot)(struct store *store, const struct volume *volume,
			struct img_err *err);
	/* Removes device and data, and gives the space back. */
	int (*destroy)(struct store *store, const struct volume *volume,
		       struct img_err *err);
	int (*activate)(struct store *store, const struct volume *volume,
			dev_t *ret, struct img_err *err);
	int (*deactivate)(struct store *store, const struct volume *volume,
			  struct img_err *err);
	/* After a crash in the middle of a snapshot: lets the origin go on. */
	int (*thaw)(struct store *store, const struct volume *volume,
		    struct img_err *err);
	int (*usage)(struct store *store, struct store_usage *ret,
		     struct img_err *err);
};

/* Thin volumes in one thin pool. */
extern const struct driver driver_thin;

#endif
