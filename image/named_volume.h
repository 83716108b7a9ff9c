#ifndef IMG_IMAGE_NAMED_VOLUME_H
#define IMG_IMAGE_NAMED_VOLUME_H

/*
 * Volumes that have a name and belong to no image and no container: an ext4 of
 * its own, which containers mount where they like.
 *
 * As images they are recorded in the ledger before the catalog hears of them,
 * and are durable once they were acknowledged.  One that a container has
 * (volume_users in storage/catalog.c) cannot be removed: the catalog itself
 * refuses it.
 */
#include "storage/volume.h"

#include <jansson.h>

#define NAMED_VOLUME_NAME_MAX 255

struct named_volume {
	char name[NAMED_VOLUME_NAME_MAX + 1];
	struct volume volume;
	int64_t created_ns;
	bool anonymous; /* nobody chose its name */
	char *config;	/* JSON: Labels, an object; Options, an object */
};
void named_volume_release(struct named_volume *named);

/* Returns 0, or IMG_E_INPUT: a plain name (image/name.h). */
int named_volume_name_check(const char *name, struct img_err *err) IMG_MUST_USE;

/* IMG_E_NOT_FOUND. */
int named_volume_find(struct store *store, const char *name,
		      struct named_volume *ret,
		      struct img_err *err) IMG_MUST_USE;

/* By name. */
int named_volume_each(struct store *store,
		      int (*fn)(void *self, const struct named_volume *named,
				struct img_err *err),
		      void *self, struct img_err *err) IMG_MUST_USE;

struct named_volume_new {
	const char *name;
	bool anonymous;
	uint64_t size_bytes;	  /* 0: the store's size for new volumes */
	json_t *labels, *options; /* objects, borrowed; or NULL */
};

/**
 * named_volume_create - a new volume with an empty file system
 *
 * Durable when it returns 0.  IMG_E_EXISTS where the name is taken,
 * IMG_E_INPUT for a size that cannot be.  A crash leaves nothing of what was
 * not acknowledged, or the whole of it.
 */
int named_volume_create(struct store *store, const struct named_volume_new *new,
			struct img_err *err) IMG_MUST_USE;

/* The rest of it, for a volume that has a file system: its record, its row. */
int named_volume_add(struct store *store, struct named_volume *named,
		     struct volume_pending *pending,
		     struct img_err *err) IMG_MUST_USE;

/* Its row, within a transaction of the caller's; IMG_E_EXISTS where the name
 * is taken. */
int named_volume_row_add(struct db *db, const struct named_volume *named,
			 struct img_err *err) IMG_MUST_USE;

/**
 * named_volume_begin_delete - drop the row of one that is to go
 *
 * Within a transaction of the caller's.  After its commit
 * named_volume_finish_delete removes the volume; if this process dies first,
 * the next open of the store does.  IMG_E_BUSY where a container has it.
 */
int named_volume_begin_delete(struct store *store,
			      const struct named_volume *named,
			      struct volume_pending *ret,
			      struct img_err *err) IMG_MUST_USE;
int named_volume_finish_delete(struct volume_pending *gone,
			       struct img_err *err) IMG_MUST_USE;
/* Both, in a durable transaction. */
int named_volume_remove(struct store *store, const struct named_volume *named,
			struct img_err *err) IMG_MUST_USE;

/* Makes it larger, whether it is in use or not: see resize_volume. */
int named_volume_resize(struct store *store, const struct named_volume *named,
			uint64_t size_bytes, struct img_err *err) IMG_MUST_USE;

#endif
