#ifndef IMG_IMAGE_IMAGE_MERGE_H
#define IMG_IMAGE_IMAGE_MERGE_H

/*
 * An image that goes on as another: all names of the one move to the other at
 * once.
 */
#include "image/image.h"

struct image_merge {
	const struct image *image;
	/* A volume with the new content, taken over on success; NULL: the
	 * image's own volume is about to get it, and the old image is no
	 * more. */
	struct volume_pending *volume;
	const char *config; /* JSON */
	const char *created_by, *comment;
	bool keep; /* the old image stays, without a name; with @volume */
	/* Called within the transaction, to change rows of the caller's. */
	int (*rows)(void *self, const struct id *id, struct img_err *err);
	void *self;
};

/**
 * image_merge - let an image's names mean its new content
 * @ret_id: of the image that has them now
 *
 * Durable when it returns 0: the ledger first, then the catalog.  A crash
 * before the catalog's commit leaves the image as it was, after it all is
 * done but for the removal of an old image that is not kept, which then has no
 * name.
 */
int image_merge(struct store *store, const struct image_merge *merge,
		struct id *ret_id, struct img_err *err) IMG_MUST_USE;

#endif
