#ifndef IMG_IMAGE_RECORD_H
#define IMG_IMAGE_RECORD_H

/*
 * What the ledger says of an image: all that the catalog knows of it, as one
 * JSON object, so that the catalog can be made again.
 *
 *	{"id", "parent", "created_ns", "config": {...}, "names": ["a:latest"],
 *	 "history": [{"layer", "created_ns", "created_by", "comment"}]}
 *
 * Where two images claim a name, the record with the higher number holds.
 */
#include "image/image.h"

#include <jansson.h>

/* The names and the history of an image as the catalog has them now. */
int image_record_names(struct store *store, const char *id, json_t **ret,
		       struct img_err *err) IMG_MUST_USE;
int image_record_history(struct store *store, const char *id, json_t **ret,
			 struct img_err *err) IMG_MUST_USE;
/* One more on top of those. */
void image_record_add_step(json_t *history, const struct image_step *step);

/* A copy of @text that JSON can hold: "?" for each byte that is no UTF-8, as
 * a file's name may have. */
char *image_record_text(const char *text) IMG_MUST_USE;

/**
 * image_record_put - write an image's record to the ledger
 * @names, @history: arrays; taken over in every case
 */
int image_record_put(struct store *store, const struct image *image,
		     json_t *names, json_t *history,
		     struct img_err *err) IMG_MUST_USE;

#endif
