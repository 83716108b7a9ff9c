#ifndef IMG_IMAGE_IMAGE_H
#define IMG_IMAGE_IMAGE_H

/*
 * Images: a whole volume, a configuration, a history and any number of names.
 *
 * An image never changes but for its names.  It stands alone: its parent may
 * be removed, its history is its own copy.  Its volume is never active.
 * Everything here is durable when it returns, in the pool's ledger first and
 * then in the catalog.
 */
#include "base/id.h"
#include "image/name.h"
#include "storage/volume.h"

#include <stdbool.h>
#include <stdint.h>

struct image {
	struct id id;
	struct id parent; /* empty: none */
	struct volume volume;
	int64_t created_ns; /* since the epoch */
	char *config;	    /* JSON; see image/config.h */
};

void image_release(struct image *image);

/**
 * image_find - the image that @ref means
 * @ref: NAME[:TAG], or an id or a prefix of one that is unique
 * @ret: release it
 *
 * Returns 0, IMG_E_NOT_FOUND, or IMG_E_INPUT for an ambiguous prefix.
 */
int image_find(struct store *store, const char *ref, struct image *ret,
	       struct img_err *err) IMG_MUST_USE;
/* 1 with the image of exactly this id, 0 when it is gone. */
int image_get(struct store *store, const char *id, struct image *ret,
	      struct img_err *err) IMG_MUST_USE;

/* Calls @fn for each image, newest first. */
int image_each(struct store *store,
	       int (*fn)(void *self, const struct image *image,
			 struct img_err *err),
	       void *self, struct img_err *err) IMG_MUST_USE;

/* Calls @fn for each name of an image, in order. */
int image_each_name(struct store *store, const char *id,
		    int (*fn)(void *self, const struct image_name *name,
			      struct img_err *err),
		    void *self, struct img_err *err) IMG_MUST_USE;

struct image_step {
	const char *layer; /* id of the image that the step made */
	int64_t created_ns;
	const char *created_by, *comment;
};
/* Calls @fn for each step of an image's history, newest first. */
int image_each_step(struct store *store, const char *id,
		    int (*fn)(void *self, const struct image_step *step,
			      struct img_err *err),
		    void *self, struct img_err *err) IMG_MUST_USE;

struct image_new {
	struct volume_pending *volume; /* taken over on success */
	const struct image *parent;    /* NULL: none */
	const char *config;	       /* JSON */
	const struct image_name *name; /* NULL: none; moved if it is taken */
	const char *created_by, *comment;
};

/**
 * image_add - turn a finished volume into an image
 * @ret_id: its id
 *
 * A crash before the catalog's commit leaves nothing of the image; after it
 * the image is whole.
 */
int image_add(struct store *store, const struct image_new *new,
	      struct id *ret_id, struct img_err *err) IMG_MUST_USE;

/* Gives an image one more name, taken from whichever image had it. */
int image_tag(struct store *store, const struct image *image,
	      const struct image_name *name, struct img_err *err) IMG_MUST_USE;

/* Takes a name from its image, which stays; IMG_E_NOT_FOUND.  IMG_E_BUSY where
 * it has no other any more. */
int image_untag(struct store *store, const struct image *image,
		const struct image_name *name,
		struct img_err *err) IMG_MUST_USE;

/* IMG_E_NOT_FOUND where it was removed since it was found.  Within a
 * transaction it then stays. */
int image_check(struct store *store, const struct image *image,
		struct img_err *err) IMG_MUST_USE;

/* Refuses, if the image must not go: part of the transaction that removes it. */
typedef int image_may_go_fn(struct store *store, const struct image *image,
			    struct img_err *err);

/* Removes an image with all its names, and gives its space back.  IMG_E_BUSY
 * where those are not @n_names any more, as the caller has seen it.
 * @may_go: NULL if nothing keeps it */
int image_remove(struct store *store, const struct image *image, size_t n_names,
		 image_may_go_fn *may_go, struct img_err *err) IMG_MUST_USE;

#endif
