#include "cli/object.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <string.h>

void object_release(struct object *object)
{
	container_row_release(&object->container);
	image_release(&object->image);
}

static int find_container(struct store *store, const char *ref,
			  struct object *ret, struct img_err *err)
{
	int r = container_find(store, ref, &ret->container, err);

	if (r == 0)
		ret->volume = ret->container.volume;
	return r;
}

static int find_image(struct store *store, const char *ref, struct object *ret,
		      struct img_err *err)
{
	int r = image_find(store, ref, &ret->image, err);

	if (r == 0) {
		ret->is_image = true;
		ret->volume = ret->image.volume;
	}
	return r;
}

int object_find(struct store *store, const char *ref, struct object *ret,
		struct img_err *err)
{
	struct img_err missing = { 0 };
	int r = find_container(store, ref, ret, &missing);

	if (r != -IMG_E_NOT_FOUND) {
		if (r < 0)
			*err = missing;
		return r;
	}
	missing = (struct img_err){ 0 };
	r = find_image(store, ref, ret, &missing);
	/* What is no name of an image may have been meant for a container. */
	if (r == -IMG_E_NOT_FOUND || r == -IMG_E_INPUT)
		return img_err_set(err, IMG_E_NOT_FOUND, 0,
				   "there is no container or image '%s'", ref);
	if (r < 0)
		*err = missing;
	return r;
}

int object_find_type(struct store *store, const char *ref, const char *type,
		     struct object *ret, struct img_err *err)
{
	if (!type)
		return object_find(store, ref, ret, err);
	return strcmp(type, "image") == 0
		       ? find_image(store, ref, ret, err)
		       : find_container(store, ref, ret, err);
}

struct wanted {
	uint32_t volume;
	struct store *store;
	char *name;
};

static int match_container(void *self, const struct container_row *row,
			   struct img_err *err)
{
	struct wanted *wanted = self;

	if (row->volume.id != wanted->volume)
		return 0;
	wanted->name = mem_strdup(row->name);
	return 1;
}

static int take_name(void *self, const struct image_name *name,
		     struct img_err *err)
{
	struct wanted *wanted = self;

	wanted->name = mem_printf("%s:%s", name->name, name->tag);
	return 1;
}

static int match_image(void *self, const struct image *image,
		       struct img_err *err)
{
	struct wanted *wanted = self;
	int r;

	if (image->volume.id != wanted->volume)
		return 0;
	r = image_each_name(wanted->store, image->id.hex, take_name, wanted,
			    err);
	if (r == 0)
		wanted->name = mem_printf("%.*s", ID_SHORT_LEN, image->id.hex);
	return r < 0 ? r : 1;
}

int object_name(struct store *store, uint32_t volume, bool *ret_is_image,
		char **ret, struct img_err *err)
{
	struct wanted wanted = { .volume = volume, .store = store };
	int r = container_each(store, match_container, &wanted, err);

	*ret_is_image = false;
	if (r == 0) {
		r = image_each(store, match_image, &wanted, err);
		*ret_is_image = r > 0;
	}
	if (r < 0)
		return r;
	*ret = wanted.name ? wanted.name : mem_strdup("");
	return 0;
}
