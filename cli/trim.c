#include "runtime/trim.h"
#include "base/cleanup.h"
#include "base/num.h"
#include "base/str.h"
#include "cli/each.h"
#include "cli/object.h"
#include "image/named_volume.h"
#include "storage/retry.h"
#include "storage/share.h"
#include "storage/use.h"

#define WAIT_MS 10000
#define TRIES	3

struct options {
	bool all;
};

static const struct option_row rows[] = {
	{ 'a', "all", NULL, "all containers, images and volumes", OPTION_FLAG,
	  offsetof(struct options, all) },
};

enum kind { CONTAINER, IMAGE, VOLUME };

struct item {
	enum kind kind;
	char *name;
	struct volume volume;
};

struct trim {
	struct store *store;
	struct item *item;
	size_t n, room;
};

/* With an intent of this process's. */
static int trim_held(struct store *store, const struct volume *volume,
		     bool is_image, struct img_err *err)
{
	char node[VOLUME_NODE_MAX];
	uint64_t bytes;
	int r = volume_activate(store, volume, node, err);

	return r < 0 ? r : trim_device(node, is_image, &bytes, err);
}

/* As one more of those that have it.  Where there are none it stays alone: who
 * comes waits, and finds it as new as it was. */
static int trim_shared(struct store *store, const struct volume *volume,
		       struct img_err *err)
{
	struct volume_pending share = { 0 };
	struct img_err left = { 0 };
	bool alone;
	int r = share_begin(store, volume->id, &share, &alone, err);

	if (r < 0)
		return r;
	r = trim_held(store, &share.volume, false, err);
	if (share_end(&share, &left) < 0 && r == 0) {
		*err = left;
		r = -(int)left.code;
	}
	return r;
}

/* It is held for as long as this takes, so that nobody starts or removes it. */
static int trim_still(struct store *store, const struct volume *volume,
		      bool is_image, struct img_err *err)
{
	img_auto(use_drop) struct volume_pending held = { 0 };
	int r = use_begin(store, volume, &held, err);

	return r < 0 ? r : trim_held(store, &held.volume, is_image, err);
}

struct running {
	struct store *store;
	const struct volume *volume;
	char node[VOLUME_NODE_MAX];
	int device_fd; /* -1: it does not run */
};

/* IMG_E_BUSY while it begins to run, or ends.  Once the device is open, its end
 * waits for us. */
static int find_running(void *self, struct img_err *err)
{
	struct running *running = self;
	int r = volume_open_device(running->store, running->volume,
				   running->node, &running->device_fd, err);
	bool has_device = r > 0;

	if (r >= 0)
		r = volume_is_running(running->store, running->volume->id, err);
	if (r > 0 && has_device)
		return 0;
	img_fd_release(&running->device_fd);
	if (r > 0)
		r = img_err_set(err, IMG_E_BUSY, 0,
				"it is just starting or ending");
	return r;
}

static int trim_container(struct store *store, const struct volume *volume,
			  struct img_err *err)
{
	struct running running = { .store = store,
				   .volume = volume,
				   .device_fd = -1 };
	uint64_t bytes;
	int r = retry_while_busy(find_running, &running, WAIT_MS, err);

	if (r < 0)
		return r;
	if (running.device_fd < 0)
		return trim_still(store, volume, false, err);
	r = trim_device(running.node, false, &bytes, err);
	img_fd_release(&running.device_fd);
	return r;
}

static int trim_volume(struct store *store, const struct item *item,
		       struct img_err *err)
{
	switch (item->kind) {
	case CONTAINER:
		return trim_container(store, &item->volume, err);
	case IMAGE:
		return trim_still(store, &item->volume, true, err);
	case VOLUME:
		break;
	}
	return trim_shared(store, &item->volume, err);
}

/* What the pool has in use tells what was given back: a file system names all
 * that it has free, and most of that was never there. */
static int trim_one(struct trim *trim, const struct item *item,
		    struct img_err *err)
{
	struct store_usage before = { 0 }, after = { 0 };
	char size[SIZE_TEXT_MAX];
	int r = store_usage(trim->store, &before, err);

	if (r == 0)
		r = trim_volume(trim->store, item, err);
	if (r == 0)
		r = store_usage(trim->store, &after, err);
	if (r < 0)
		return img_err_prefix(err, "cannot trim %s", item->name);
	(void)printf("%s: %s given back\n", item->name,
		     num_format_size(before.data_used_bytes >
						     after.data_used_bytes
					     ? before.data_used_bytes -
						       after.data_used_bytes
					     : 0,
				     size));
	return 0;
}

/* What is to be trimmed. */
static void list_add(struct trim *trim, enum kind kind, char *name,
		     const struct volume *volume)
{
	if (trim->n == trim->room) {
		trim->room = trim->room ? 2 * trim->room : 16;
		trim->item = mem_realloc(trim->item,
					 trim->room * sizeof(*trim->item));
	}
	trim->item[trim->n++] = (struct item){ kind, name, *volume };
}

static int list_container(void *self, const struct container_row *row,
			  struct img_err *err)
{
	list_add(self, CONTAINER, mem_strdup(row->name), &row->volume);
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
	list_add(trim, IMAGE, name, &image->volume);
	return 0;
}

static int list_volume(void *self, const struct named_volume *named,
		       struct img_err *err)
{
	list_add(self, VOLUME, mem_strdup(named->name), &named->volume);
	return 0;
}

static int list_volume_named(struct trim *trim, const char *ref,
			     struct img_err *err)
{
	img_auto(named_volume_release) struct named_volume named = { 0 };
	struct img_err first = { 0 };
	int r = named_volume_find(trim->store, ref, &named, &first);

	if (r == -IMG_E_NOT_FOUND)
		return img_err_set(err, IMG_E_NOT_FOUND, 0,
				   "there is no container, image or volume "
				   "'%s'",
				   ref);
	if (r < 0)
		*err = first;
	return r < 0 ? r : list_volume(trim, &named, err);
}

static int list_named(struct trim *trim, const char *ref, struct img_err *err)
{
	img_auto(object_release) struct object object = { 0 };
	struct img_err first = { 0 };
	int r = object_find(trim->store, ref, &object, &first);

	if (r == -IMG_E_NOT_FOUND)
		return list_volume_named(trim, ref, err);
	if (r < 0) {
		*err = first;
		return r;
	}
	return object.is_image ? list_image(trim, &object.image, err)
			       : list_container(trim, &object.container, err);
}

/* What was removed meanwhile, or rolled back, is looked for once more. */
static int trim_named(struct trim *trim, const char *ref, struct img_err *err)
{
	for (int try = 1;; try++) {
		struct img_err gone = { 0 };
		size_t n = trim->n;
		int r = list_named(trim, ref, err);

		if (r < 0)
			return r;
		r = trim_one(trim, &trim->item[n], &gone);
		if (r != -IMG_E_NOT_FOUND || try == TRIES) {
			if (r < 0)
				*err = gone;
			return r;
		}
	}
}

/* Those that are there now, and still when it is their turn. */
static int trim_all(struct trim *trim, struct img_err *err)
{
	int r = container_each(trim->store, list_container, trim, err);

	if (r == 0)
		r = image_each(trim->store, list_image, trim, err);
	if (r == 0)
		r = named_volume_each(trim->store, list_volume, trim, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < trim->n; i++) {
		struct img_err one = { 0 };

		r = trim_one(trim, &trim->item[i], &one);
		if (r < 0 && r != -IMG_E_NOT_FOUND)
			each_failed(err, &one);
	}
	return -(int)err->code;
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
	img_auto(trim_release) struct trim trim = { 0 };
	int r = 0;

	if (o->all == (argc > 0))
		return img_err_set(err, IMG_E_INPUT, 0,
				   "trim what? name containers, images or "
				   "volumes, or say --all");
	r = cli_open_store(cli, false, &store, err);
	if (r < 0)
		return r;
	trim.store = store;
	if (o->all)
		return trim_all(&trim, err);
	for (int i = 0; i < argc; i++) {
		struct img_err one = { 0 };

		if (trim_named(&trim, argv[i], &one) < 0)
			each_failed(err, &one);
	}
	return -(int)err->code;
}

const struct verb verb_trim = {
	.name = "trim",
	.arguments = "[CONTAINER|IMAGE|VOLUME...]",
	.summary = "Give back what file systems do not need any more",
	.description =
		"A file that is deleted in a container or a volume leaves its "
		"blocks in the pool; this\ndiscards them, down to the host's "
		"file system. Containers may run meanwhile. Blocks\nthat "
		"others have as well stay theirs.",
	.options = VERB_OPTIONS(rows),
	.values_size = sizeof(struct options),
	.max_args = -1,
	.run = run,
};
