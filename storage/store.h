#ifndef IMG_STORAGE_STORE_H
#define IMG_STORAGE_STORE_H

/*
 * A store: one directory with a catalog and a pool, and the devices made of
 * them.
 *
 * Opening a store finishes or undoes whatever dead processes left behind.
 * The pool is brought up by the first call that needs it, after a reboot as
 * on the first day, and stays up when the program ends.
 */
#include "base/db.h"
#include "storage/dm.h"

#include <stdint.h>

struct store;
struct ledger_record;

/* What a new store is made of; 0 stands for the default in brackets. */
struct store_sizes {
	uint64_t data_bytes;	 /* sparse data file [100 GiB] */
	uint64_t metadata_bytes; /* sparse metadata file [1 GiB] */
	uint64_t chunk_bytes;	 /* power of two, 64 KiB to 1 GiB [64 KiB] */
	uint64_t volume_bytes;	 /* size of an imported volume [10 GiB] */
	/* How large the data may become by itself; 0: as the host's file system
	 * allows [data_bytes, or 0 where that is a default too] */
	uint64_t max_bytes;
	/* What is kept free of data [storage/reserve.h]. */
	uint64_t reserve_bytes;
};

struct store_options {
	const char *root;     /* directory of the store */
	const char *run_root; /* directory for locks; gone after a reboot */
	bool create;	      /* make the store when there is none */
	bool examine;	      /* only look: nothing is recovered or swept */
	const char *driver;   /* of a new store; NULL: "thin" */
	struct store_sizes sizes;
	/* Block devices for a new store's pool, in place of sparse files; both
	 * or none.  What they hold is overwritten only with @force. */
	const char *data_device, *metadata_device;
	bool force;
	/* The device-mapper to use; ops NULL means the kernel's. */
	struct dm dm;
	/* A container's supervisor died: its volume is inactive again when
	 * this is called; the callee settles the container's rows in a
	 * transaction of its own, and must accept being called twice. */
	int (*run_ended)(struct store *store, uint32_t volume,
			 struct img_err *err);
	/* The pool holds an image that the catalog does not know: the callee
	 * enters it, by volume_adopt and rows of its own. */
	int (*adopt)(struct store *store, const struct ledger_record *record,
		     struct img_err *err);
	/* The pool has no such volume: it was deleted, and the power went before
	 * the catalog's own deletion was on the disk.  Within a transaction,
	 * the callee drops the rows that name it, if they are a container's. */
	int (*vanished)(struct store *store, uint32_t volume,
			struct img_err *err);
	/* The file system on the block device @node, which may be mounted
	 * already, is to fill @size_bytes.  IMG_E_* says why it cannot; one
	 * that does so already is no failure. */
	int (*grow)(struct store *store, const char *node, uint64_t size_bytes,
		    struct img_err *err);
	/* The pool came up, and all volumes without a row are gone: files
	 * without one may go as well. */
	void (*swept)(struct store *store);
};

/**
 * store_open - open a store, making it when asked, and recover it
 *
 * Returns 0, or IMG_E_NOT_FOUND (no store there and not @create),
 * IMG_E_CORRUPT (a pool without its catalog), or what failed.  A kernel
 * without device-mapper is no failure here: only recovery is put off.
 */
int store_open(const struct store_options *options, struct store **ret,
	       struct img_err *err) IMG_MUST_USE;
void store_close(struct store **store);

/* Names of the block devices that the pool lies on; NULL where it lies on files
 * of the store's own. */
const char *store_data_device(const struct store *store);
const char *store_metadata_device(const struct store *store);

/* Brings the pool up if it is not. */
int store_need_pool(struct store *store, struct img_err *err) IMG_MUST_USE;

/* Takes every device of the store down.  IMG_E_BUSY while a volume is active;
 * a store whose pool is down already is no failure. */
int store_stop(struct store *store, struct img_err *err) IMG_MUST_USE;

struct db *store_db(struct store *store);
const char *store_root(const struct store *store);
/* Directory for what is gone after a reboot; of this store alone. */
const char *store_run(const struct store *store);
/* Size of a new volume when nobody says otherwise, in bytes. */
uint64_t store_volume_bytes(const struct store *store);
uint64_t store_chunk_bytes(const struct store *store);
const char *store_driver(const struct store *store);

/* How full the pool is, as the kernel says. */
struct store_usage {
	uint64_t data_bytes, data_used_bytes;
	uint64_t metadata_bytes, metadata_used_bytes;
	bool read_only, out_of_space, needs_check, failed;
};
int store_usage(struct store *store, struct store_usage *ret,
		struct img_err *err) IMG_MUST_USE;

#endif
