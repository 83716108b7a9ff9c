#include "base/cleanup.h"
#include "base/str.h"
#include "cli/container.h"
#include "cli/each.h"
#include "cli/event.h"

#include <string.h>

struct options {
	bool force;
};

static const struct option_row rows[] = {
	{ 'f', "force", NULL,
	  "also when containers were made from it, or it has other names",
	  OPTION_FLAG, offsetof(struct options, force) },
};

struct names {
	struct image_name *name;
	size_t n;
};

static void names_release(struct names *names)
{
	img_mem_release(&names->name);
}

static int add_name(void *self, const struct image_name *name,
		    struct img_err *err)
{
	struct names *names = self;

	names->name =
		mem_realloc(names->name, (names->n + 1) * sizeof(*names->name));
	names->name[names->n++] = *name;
	return 0;
}

struct user {
	const char *image;
	char name[CONTAINER_NAME_MAX + 1];
};

static int find_user(void *self, const struct container_row *row,
		     struct img_err *err)
{
	struct user *user = self;

	if (strcmp(row->image.hex, user->image) != 0)
		return 0;
	memcpy(user->name, row->name, sizeof(user->name));
	return 1;
}

static int check_unused(struct store *store, const struct image *image,
			struct img_err *err)
{
	struct user user = { .image = image->id.hex };
	int r = container_each(store, find_user, &user, err);

	if (r > 0)
		return img_err_set(err, IMG_E_BUSY, 0,
				   "the container %s was made from it: remove "
				   "that first, or use -f",
				   user.name);
	return r;
}

/* As docker: a name goes alone while there are others; the image goes with
 * its last name, or when it is named by its id. */
static int remove_one(const struct each *each, const char *ref,
		      struct img_err *err)
{
	const struct options *o = each->values;
	struct store *store = each->store;
	img_auto(image_release) struct image image = { 0 };
	struct img_err not_a_name = { 0 };
	struct image_name name;
	img_auto(names_release) struct names names = { 0 };
	bool by_id;
	int r = image_find(store, ref, &image, err);

	if (r == 0)
		r = image_each_name(store, image.id.hex, add_name, &names, err);
	if (r < 0)
		return r;
	by_id = strncmp(image.id.hex, ref, strlen(ref)) == 0;
	if (!by_id && names.n > 1) {
		r = image_name_parse(ref, &name, &not_a_name);
		r = r < 0 ? r : image_untag(store, &image, &name, err);
		if (r < 0)
			return r;
		event_write_image(store, "untag", &image.id, &name,
				  image.config);
		(void)printf("Untagged: %s:%s\n", name.name, name.tag);
		return 0;
	}
	if (by_id && names.n > 1 && !o->force)
		return img_err_set(err, IMG_E_BUSY, 0,
				   "it has %zu names: remove them one by one, "
				   "or use -f",
				   names.n);
	r = image_remove(store, &image, names.n, o->force ? NULL : check_unused,
			 err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < names.n; i++)
		event_write_image(store, "untag", &image.id, &names.name[i],
				  image.config);
	event_write_image(store, "delete", &image.id, NULL, image.config);
	(void)printf("Deleted: %s\n", image.id.hex);
	return 0;
}

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	struct each each = { .values = values,
			     .doing = "remove",
			     .fn = remove_one };

	return each_argument(cli, &each, argc, argv, err);
}

const struct verb verb_rmi = {
	.name = "rmi",
	.arguments = "IMAGE [IMAGE...]",
	.summary = "Remove images, and give their space back",
	.description =
		"An image with several names loses the one given. Images made "
		"from a removed one\nstay whole: every volume stands alone.",
	.options = VERB_OPTIONS(rows),
	.values_size = sizeof(struct options),
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
