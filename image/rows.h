#ifndef IMG_IMAGE_ROWS_H
#define IMG_IMAGE_ROWS_H

/*
 * What the catalog holds of an image: its row, its names, and the steps of its
 * history, numbered from 1.  Every change here is part of the caller's
 * transaction.
 */
#include "base/db.h"
#include "image/image.h"

/* An image that the catalog does not have.  IMG_E_EXISTS if it has. */
int image_row_add(struct db *db, const struct image *image,
		  struct img_err *err) IMG_MUST_USE;

/* The name is this image's, whoever had it before. */
int image_name_set(struct db *db, const char *id, const struct image_name *name,
		   struct img_err *err) IMG_MUST_USE;

/* All steps of the one, for another that has none. */
int image_steps_copy(struct db *db, const char *from, const char *to,
		     struct img_err *err) IMG_MUST_USE;

/* A step on top of those that the image has. */
int image_step_add(struct db *db, const char *id, const struct image_step *step,
		   struct img_err *err) IMG_MUST_USE;

#endif
