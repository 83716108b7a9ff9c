#ifndef IMG_CLI_OBJECT_H
#define IMG_CLI_OBJECT_H

/*
 * What has a volume: a container or an image, for the verbs that take either.
 */
#include "cli/container.h"
#include "image/image.h"

struct object {
	bool is_image;
	struct volume volume;
	struct container_row container; /* unless is_image */
	struct image image;
};

void object_release(struct object *object);

/* A container first, then an image, as docker does.  IMG_E_NOT_FOUND;
 * IMG_E_INPUT for an id that several containers begin with. */
int object_find(struct store *store, const char *ref, struct object *ret,
		struct img_err *err) IMG_MUST_USE;

/* The same of one type, "container" or "image"; NULL: of either. */
int object_find_type(struct store *store, const char *ref, const char *type,
		     struct object *ret, struct img_err *err) IMG_MUST_USE;

/* A name for whatever has this volume, "NAME:TAG" for an image, a short id
 * where there is no name, "" when nothing has it; the caller frees it. */
int object_name(struct store *store, uint32_t volume, bool *ret_is_image,
		char **ret, struct img_err *err) IMG_MUST_USE;

#endif
