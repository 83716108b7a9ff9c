#ifndef IMG_STORAGE_HOLD_H
#define IMG_STORAGE_HOLD_H

/*
 * The pool's metadata, held still while it is read.
 *
 * The kernel keeps one metadata snapshot a pool (reserve_metadata_snap): a
 * tree that does not change, whatever is written meanwhile.  Who has it holds
 * LOCK_METADATA and an intent, so that the next to open the store lets go of
 * one whose owner died; after a reboot the pool's coming up does.
 *
 * Nothing that is deleted or discarded while a snapshot is held gives its
 * space back, so hold it no longer than it takes to read, and wait for nothing
 * meanwhile: neither for another lock nor for a child.
 *
 * A pool that takes no messages any more (read-only, failed) does not change
 * either: then its live tree is what is read.
 */
#include "storage/meta.h"
#include "storage/store.h"

struct hold {
	struct store *store; /* NULL: nothing is held */
	int64_t intent;	     /* 0: none could be written */
	bool reserved;
	int fd;
	struct thin_meta *meta;
};

#define HOLD_NONE                                                              \
	{                                                                      \
		.fd = -1                                                       \
	}

/**
 * hold_begin - hold the metadata and begin to read it
 * @ret: ret->meta is the open handle; hold_release() it
 *
 * Brings the pool up, waits for whoever holds the metadata now.  Not within a
 * transaction of the catalog.  A crash leaves the intent, which the next
 * store_open settles.
 *
 * Returns 0, or as store_need_pool() and thin_meta_open().
 */
int hold_begin(struct store *store, struct hold *ret,
	       struct img_err *err) IMG_MUST_USE;
/* Accepts HOLD_NONE; for img_auto. */
void hold_release(struct hold *hold);

/* Lets go of a metadata snapshot whose owner is dead.  While another process
 * holds one, and where there is none, nothing is done.  The pool is up. */
int hold_drop_stale(struct store *store, struct img_err *err) IMG_MUST_USE;

#endif
