#ifndef IMG_STORAGE_GROW_H
#define IMG_STORAGE_GROW_H

/*
 * Larger pools.
 *
 * The catalog says how large data and metadata are to be; files, loop
 * devices, labels and the pool's table follow it.  The new size is recorded
 * durably before anything is done, so a crash at any point leaves a pool that
 * is smaller than recorded: its next start, and whoever finds it so, goes on.
 * Every step may be repeated.  Nothing here makes a pool smaller.
 *
 * Source: thin-provisioning.rst, "Resizing"; a resume of the pool with a longer
 * table, or with a larger metadata device, is all that the kernel wants.
 */
#include "storage/store_impl.h"

#include <stdbool.h>

/* What a pool is to become, at least; 0: as it is. */
struct grow_target {
	uint64_t data_bytes, metadata_bytes;
	uint64_t max_bytes; /* of data, from now on */
};

/**
 * grow_to - make the pool larger
 *
 * Takes LOCK_STORE.  The pool is up and its volumes may be in use: they stand
 * still for milliseconds.  What is as large already stays as it is.
 *
 * Returns 0, IMG_E_INPUT (a device of the pool's is not that large),
 * IMG_E_NO_SPACE, or what failed: then the next to look goes on.
 */
int grow_to(struct store *store, const struct grow_target *target,
	    struct img_err *err) IMG_MUST_USE;

/* Whether the pool is smaller than recorded, or short of space and allowed to
 * be larger. */
bool grow_is_due(const struct store *store, const struct store_usage *usage);

/* Makes it as large as recorded, and larger if it is short of space, as far as
 * the store and the host's file system allow.  IMG_E_NO_SPACE when there is
 * nothing to be had. */
int grow_automatically(struct store *store, struct img_err *err) IMG_MUST_USE;

/* As if @bytes more were used already; best effort. */
void grow_for(struct store *store, uint64_t bytes);

/* Before the pool comes up: the files are as large as recorded. */
int grow_files(struct store *store, struct img_err *err) IMG_MUST_USE;

/**
 * grow_guard - look after the pool once, and say when to look again
 * @fd: -1 at first, then the same again; the caller's to close.  Readable when
 *	something may have changed; still -1 where nothing can ever grow
 */
int grow_guard(struct store *store, int *fd, struct img_err *err) IMG_MUST_USE;

#endif
