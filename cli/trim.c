#include "runtime/trim.h"
#include "base/cleanup.h"
#include "base/num.h"
#include "base/str.h"
#include "cli/each.h"
#include "cli/object.h"
#include "storage/use.h"

struct options {
	bool all;
};

static const struct option_row rows[] = {
	{ 'a', "all", NULL, "all containers and images", OPTION_FLAG,
	  offsetof(struct options, all) },
};

struct item {
	bool is_image;
	char *name;
	struct volume volume;
};

struct trim {
	struct store *store;
	struct img_err *err; /* the last failure */
	struct item *item;
	size_t n, room;
};

/* A running container holds its volume; anything else is held for as long as
 * this takes, so that nobody starts or removes it. */
static int trim_volume(struct store *store, const struct volume *volume,
		       bool is_running, bool is_image, struct img_err *err)
{
	img_auto(volume_pending_release) struct volume_pending held = { 0 };
	char node[VOLUME_NODE_MAX];
	uint64_t bytes;
	int r = 0;

	if (!is_running)
		r = use_begin(store, volume, &held, err);
	if (r == 0)
		r = volume_activate(store, volume, node, err);
	if (r == 0)
		r = trim_device(node, is_image, &bytes, err);
	if (held.store)
		use_drop(&held);
	return r;
}

/* What the pool has in use tells what was given back: a file system names all
 * that it has free, and most of that was never there. */
static int trim_one(struct trim *trim, const char *name,
		    const struct volume *volume, bool is_running, bool is_image,
		    struct img_err *err)
{
	struct store_usage before = { 0 }, after = { 0 };
	char size[SIZE_TEXT_MAX];
	int r = store_usage(trim->store, &before, err);

	if (r == 0)
		r = trim_volume(trim->store, volume, is_running, is_image, err);
	if (r == 0)
		r = store_usage(trim->store, &after, err);
	if (r < 0)
		return img_err_prefix(err, "cannot trim %s", name);
	(void)printf("%s: %s given back\n", name,
		     num_format_size(before.data_used_bytes >
						     after.data_used_bytes
					     ? before.data_used_bytes -
						       after.data_used_bytes
					     : 0,
				     size));
	return 0;
}

/* What is to be trimmed, listed before anything is done. */
static void list_add(struct trim *trim, bool is_image, char *name,
		     const struct volume *volume)
{
	if (trim->n == trim->room) {
		trim->room = trim->room ? 2 * trim->room : 16;
		trim->item = mem_realloc(trim->item,
					 trim->room * sizeof(*trim->item));
	}
	trim->item[trim->n++] = (struct item){ is_image, name, *volume };
}

static int list_container(void *self, const struct container_row *row,
			  struct img_err *err)
{
	list_add(self, false, mem_strdup(row->name), &row->volume);
	return 0;
}

static int first_name(void *self, const struct image_name *name,
		      struct img_err *err)
{
	*(char **)self = mem_printf("%s:%s", name->name, name->tag);
	return 1;
}

static int list_image(void *self, const struct image *image,
		      struct img_err *err)
{
	struct trim *trim = self;
	char *name = NULL;
	int r = image_each_name(trim->store, image->id.hex, first_name, &name,
				err);

	if (r < 0)
		return r;
	if (!name)
		name = mem_printf("%.12s", image->id.hex);
	list_add(trim, true, name, &image->volume);
	return 0;
}

static int list_named(struct trim *trim, const char *ref, struct img_err *err)
{
	img_auto(object_release) struct object object = { 0 };
	int r = object_find(trim->store, ref, &object, err);

	if (r < 0)
		return r;
	return object.is_image ? list_image(trim, &object.image, err)
			       : list_container(trim, &object.container, err);
}

static int trim_item(struct trim *trim, const struct item *item,
		     struct img_err *err)
{
	int running = item->is_image ? 0
				     : volume_is_held(trim->store,
						      item->volume.id, err);

	return running < 0 ? running
			   : trim_one(trim, item->name, &item->volume,
				      running > 0, item->is_image, err);
}

static void trim_release(struct trim *trim)
{
	for (size_t i = 0; i < trim->n; i++)
		free(trim->item[i].name);
	img_mem_release(&trim->item);
}

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	const struct options *o = values;
	img_auto(store_close) struct store *store = NULL;
	img_auto(trim_release) struct trim trim = { .err = err };
	int r = 0;

	if (o->all == (argc > 0))
		return img_err_set(err, IMG_E_INPUT, 0,
				   "trim what? name containers or images, or "
				   "say --all");
	r = cli_open_store(cli, false, &store, err);
	trim.store = store;
	if (r == 0 && o->all)
		r = container_each(store, list_container, &trim, err);
	if (r == 0 && o->all)
		r = image_each(store, list_image, &trim, err);
	if (r < 0)
		return r;
	for (int i = 0; i < argc; i++) {
		struct img_err one = { 0 };

		if (list_named(&trim, argv[i], &one) < 0)
			each_failed(err, &one);
	}
	for (size_t i = 0; i < trim.n; i++) {
		struct img_err one = { 0 };

		if (trim_item(&trim, &trim.item[i], &one) < 0)
			each_failed(err, &one);
	}
	return -(int)err->code;
}

const struct verb verb_trim = {
	.name = "trim",
	.arguments = "[CONTAINER|IMAGE...]",
	.summary = "Give back what file systems do not need any more",
	.description =
		"A file that is deleted in a container leaves its blocks in "
		"the pool; this discards\nthem, down to the host's file "
		"system. Containers may run meanwhile. Blocks that\nothers "
		"have as well stay theirs.",
	.options = VERB_OPTIONS(rows),
	.values_size = sizeof(struct options),
	.max_args = -1,
	.run = run,
};
