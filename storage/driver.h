#ifndef IMG_STORAGE_DRIVER_H
#define IMG_STORAGE_DRIVER_H

/*
 * A storage driver: how volumes, snapshots and their devices are made.
 *
 * Everything above (intents, catalog, recovery) is the same for all drivers,
 * and asks a driver alone what there is and how large it is.  Every operation
 * may be repeated: what is already as it should be is no failure, since
 * recovery runs them again after a crash at any point.
 */
#include "storage/account.h"
#include "storage/volume.h"

#include <stdbool.h>

struct progress;
struct volume_ids;

struct capacity_status;
struct grow_target;

/* What only a driver with a pool has; see storage/capacity.h. */
struct driver_capacity {
	int (*check)(struct store *store, struct img_err *err);
	int (*grow)(struct store *store, const struct grow_target *target,
		    struct img_err *err);
	int (*guard)(struct store *store, int *fd, struct img_err *err);
	void (*make_room)(struct store *store, uint64_t bytes);
	int (*explain)(struct store *store, struct img_err *err);
};

struct driver {
	const char *name;

	/* Puts defaults for zeroes and rounds; IMG_E_INPUT says what is off. */
	int (*check_sizes)(struct store_sizes *sizes, struct img_err *err);
	/* Makes the files of a new store, or takes the devices that the options
	 * name, whose sizes then count; takes over what an interrupted call
	 * left.  IMG_E_CORRUPT where volumes are already. */
	int (*make)(const struct store_options *options,
		    struct store_sizes *sizes, struct img_err *err);

	/* The store is opened, and nothing was written yet.  NULL where there
	 * is nothing to see to. */
	void (*opened)(struct store *store);
	/* Brings up what all volumes share; the store's lock is held. */
	int (*start)(struct store *store, struct img_err *err);
	/* Takes it down; IMG_E_BUSY while a volume is active.  The store's
	 * lock is held. */
	int (*stop)(struct store *store, struct img_err *err);
	/* 1 when up, 0 when not. */
	int (*is_started)(struct store *store, struct img_err *err);

	int (*create)(struct store *store, const struct volume *volume,
		      struct img_err *err);
	/* @volume->origin is the volume to take a snapshot of. */
	int (*snapshot)(struct store *store, const struct volume *volume,
			struct img_err *err);
	/* The same for a volume that is to be an image: snapshots will be
	 * taken of it, and it must not need its origin. */
	int (*copy)(struct store *store, const struct volume *volume,
		    struct img_err *err);
	/* Removes device and data, and gives the space back. */
	int (*destroy)(struct store *store, const struct volume *volume,
		       struct img_err *err);
	int (*activate)(struct store *store, const struct volume *volume,
			dev_t *ret, struct img_err *err);
	int (*deactivate)(struct store *store, const struct volume *volume,
			  struct img_err *err);
	/* IMG_E_UNSUPPORTED where a volume keeps the size that it was made
	 * with.  NULL where none does. */
	int (*resize_check)(struct store *store, const struct volume *volume,
			    struct img_err *err);
	/* Brings the device of an active volume to @volume->size_bytes; of an
	 * inactive one there is nothing to do. */
	int (*resize)(struct store *store, const struct volume *volume,
		      struct img_err *err);
	/* After a crash in the middle of a snapshot: lets the origin go on. */
	int (*thaw)(struct store *store, const struct volume *volume,
		    struct img_err *err);

	/* 1 when the device of a volume that nobody uses has to be there all
	 * the same, for what is made from it.  NULL where that cannot be. */
	int (*is_needed)(struct store *store, uint32_t id, struct img_err *err);

	/* What a volume can be merged into, in place, and how many others are
	 * made from that; 0: into nothing.  NULL where volumes never are. */
	int (*merge_base)(struct store *store, const struct volume *volume,
			  uint32_t *ret_base, unsigned *ret_others,
			  struct img_err *err);
	/* Folds an inactive volume into that.  What was begun is gone on with;
	 * what is left to do after a failure is done by the next call. */
	int (*merge)(struct store *store, const struct volume *volume,
		     const struct progress *progress, struct img_err *err);

	/* All volumes that are there but the ledger, whatever the catalog
	 * says, ascending; @ret_is_new: there never was one, nor a ledger. */
	int (*list)(struct store *store, struct volume_ids *ret,
		    bool *ret_is_new, struct img_err *err);
	/* What a lost row said of a volume, as far as can be told: its size,
	 * and which of @candidates it was made from, if any. */
	int (*describe)(struct store *store, uint32_t id,
			const struct volume_ids *candidates, struct volume *ret,
			struct img_err *err);
	/* Opens the ledger's file or device, made if there is none yet; for
	 * aligned blocks of 4096 bytes.  LOCK_LEDGER is held. */
	int (*open_ledger)(struct store *store, int *ret_fd,
			   struct img_err *err);

	/* IMG_E_CORRUPT when a volume's content is lost, saying why.  NULL
	 * where that cannot be. */
	int (*check)(struct store *store, const struct volume *volume,
		     struct img_err *err);
	int (*usage)(struct store *store, struct store_usage *ret,
		     struct img_err *err);
	/* See storage/capacity.h. */
	int (*status)(struct store *store, struct capacity_status *ret,
		      struct img_err *err);
	const struct driver_capacity *capacity; /* NULL: it has no pool */
	/* What storage/account.h asks for, of the same names there. */
	int (*volume_usage)(struct store *store, uint32_t volume,
			    struct account_usage *ret, struct img_err *err);
	int (*volume_change)(struct store *store, uint32_t base,
			     uint32_t volume, uint64_t *ret_bytes,
			     struct img_err *err);
	int (*host_bytes)(struct store *store, uint64_t *ret,
			  struct img_err *err);
	int (*usage_all)(struct store *store, struct account_all *ret,
			 struct img_err *err);
	/* May be NULL: only a pool can tell. */
	int (*usage_together)(struct store *store, const uint32_t *volumes,
			      size_t count, uint64_t *ret_bytes,
			      struct img_err *err);
};

/* Thin volumes in one thin pool. */
extern const struct driver driver_thin;

/* A file an image, a copy-on-write file a container. */
extern const struct driver driver_snapshot;

/* The driver of a name; NULL: there is none. */
const struct driver *driver_find(const char *name);

#endif
