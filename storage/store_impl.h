#ifndef IMG_STORAGE_STORE_IMPL_H
#define IMG_STORAGE_STORE_IMPL_H

/*
 * The inside of struct store, for storage/ alone.
 *
 * The lock file has one byte for each thing that must not happen twice at
 * once.  They are waited for in this order, checked where IMG_CHECK_LOCKS is
 * defined; an intent's byte is only ever tried, so it has no place in the
 * order.  docs/locking.md has all locks.
 */
#include "base/lock.h"
#include "storage/driver.h"
#include "storage/store.h"

#include <stdbool.h>

#define STORE_ID_LEN 32

enum {
	LOCK_USE = 0,	    /* shared: devices of the store are in use */
	LOCK_STORE = 16,    /* bringing devices of the store up or down */
	LOCK_RECORDS = 24,  /* changing what both ledger and catalog have */
	LOCK_LEDGER = 32,   /* appending to the ledger */
	LOCK_METADATA = 48, /* holding the metadata snapshot (storage/hold.h) */
	LOCK_INTENTS = 1024, /* and up: one byte an intent */
};
/* And up: one byte a volume that others are made from (storage/snap.h). */
#define LOCK_BASES (UINT64_C(1) << 41)

/* And up, one byte a volume: its device comes, goes, or is suspended. */
#define LOCK_VOLUMES (UINT64_C(1) << 40)

struct store {
	char *root, *run;
	char id[STORE_ID_LEN + 1];
	struct db *db;
	struct dm dm;
	int lock_fd;
	const struct driver *driver;
	struct store_sizes sizes;
	/* What the pool lies on; NULL: two files of the store's own. */
	char *data_device, *metadata_device;
	int (*run_ended)(struct store *store, uint32_t volume,
			 struct img_err *err);
	int (*adopt)(struct store *store, const struct ledger_record *record,
		     struct img_err *err);
	int (*vanished)(struct store *store, uint32_t volume,
			struct img_err *err);
	int (*grow)(struct store *store, const char *node, uint64_t size_bytes,
		    struct img_err *err);
	void (*swept)(struct store *store);
	bool examine;	 /* nothing is recovered or swept */
	bool in_use;	 /* LOCK_USE is held, shared */
	bool pool_is_up; /* seen up by this process */
};

/* Takes the store's devices down and calls @fn while nobody can bring them up.
 * IMG_E_BUSY while anything is in use. */
int store_while_stopped(struct store *store,
			int (*fn)(struct store *store, void *self,
				  struct img_err *err),
			void *self, struct img_err *err) IMG_MUST_USE;

/* Waits for one of the bytes above, for ourselves or beside others who share
 * it; lock_release lets go. */
int store_lock(struct store *store, uint64_t offset, struct lock *ret,
	       struct img_err *err) IMG_MUST_USE;
int store_lock_shared(struct store *store, uint64_t offset, struct lock *ret,
		      struct img_err *err) IMG_MUST_USE;

/* Name and UUID of a device: "img-<8 of id>-<what>", "IMG-<id>-<what>". */
void store_device_name(const struct store *store, const char *what,
		       struct dm_name *ret);
/* The same of a volume's: its id is what. */
void store_volume_name(const struct store *store, uint32_t id,
		       struct dm_name *ret);

/* store_open() of a store whose catalog is at another place. */
int store_open_at(const struct store_options *options, const char *db_path,
		  struct store **ret, struct img_err *err) IMG_MUST_USE;

#endif
