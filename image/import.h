#ifndef IMG_IMAGE_IMPORT_H
#define IMG_IMAGE_IMPORT_H

/*
 * A tar, a directory or a file system in a file becomes a base image: a fresh
 * volume, filled with nothing mounted, and recorded.
 */
#include "base/progress.h"
#include "image/image.h"

struct import_options {
	const char *source;	       /* path, or "-" */
	const struct image_name *name; /* NULL: none */
	const char *config;	       /* JSON */
	const char *message;
	uint64_t size_bytes;  /* of the volume; 0: the store's default;
			       * a file system has its own */
	uint64_t max_entries; /* 0: 10 million */
	const struct progress *progress;
};

/**
 * import_image - make an image of a root file system
 *
 * Durable when it returns 0.  Whatever fails, and at whatever moment this
 * process dies, nothing of the image is left.
 */
int import_image(struct store *store, const struct import_options *options,
		 struct id *ret_id, struct img_err *err) IMG_MUST_USE;

#endif
