#ifndef IMG_STORAGE_POOL_H
#define IMG_STORAGE_POOL_H

/*
 * The thin pool device: brought up on loop devices over the two sparse files
 * of the store, asked for its status, taken down.
 *
 * The loops live exactly as long as the pool's table (storage/loop.h), so a
 * crash at any point leaves either a pool with its loops or neither.
 *
 * Source: Documentation/admin-guide/device-mapper/thin-provisioning.rst.
 */
#include "storage/store_impl.h"

void pool_name(const struct store *store, struct dm_name *ret);

/* 1 when the pool device is there and running, 0 when not. */
int pool_is_up(struct store *store, struct img_err *err) IMG_MUST_USE;
/* A table, with the text that it points to. */
struct pool_table {
	struct dm_table table;
	char params[128];
};
/* The pool's, of the recorded size, on two devices. */
void pool_make_table(const struct store *store, dev_t metadata, dev_t data,
		     struct pool_table *ret);

int pool_up(struct store *store, struct img_err *err) IMG_MUST_USE;
int pool_down(struct store *store, struct img_err *err) IMG_MUST_USE;
int pool_dev(struct store *store, dev_t *ret, struct img_err *err) IMG_MUST_USE;

/**
 * pool_message - send the pool a message, such as "create_thin 1"
 *
 * The kernel has committed the pool's metadata when this returns 0.
 * Returns 0, or IMG_E_EXISTS, IMG_E_NOT_FOUND (no such thin id),
 * IMG_E_NO_SPACE, or IMG_E_SYS with the pool's status in the message.
 */
int pool_message(struct store *store, struct img_err *err, const char *fmt, ...)
	IMG_PRINTF(3, 4) IMG_MUST_USE;

/* Reads what a thin-pool status line says. */
int pool_parse_status(const char *line, uint64_t chunk_bytes,
		      struct store_usage *ret,
		      struct img_err *err) IMG_MUST_USE;
/* The pool commits first, so that what is on the disk is what there is. */
int pool_usage(struct store *store, struct store_usage *ret,
	       struct img_err *err) IMG_MUST_USE;
/* The same without the commit. */
int pool_peek(struct store *store, struct store_usage *ret,
	      struct img_err *err) IMG_MUST_USE;

#endif
