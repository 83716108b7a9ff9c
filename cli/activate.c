#include "base/cleanup.h"
#include "base/mountinfo.h"
#include "cli/each.h"
#include "cli/list.h"
#include "cli/object.h"
#include "storage/use.h"

struct options {
	struct list_options list;
	bool read_write;
};

static const struct option_row rows[] = {
	{ 0, "format", "FORMAT",
	  "of the list: table, json, or a template as {{json .}}", OPTION_TEXT,
	  offsetof(struct options, list.format) },
	{ 'q', "quiet", NULL, "list devices alone", OPTION_FLAG,
	  offsetof(struct options, list.quiet) },
	{ 'w', "read-write", NULL, "let it be written: of a container only",
	  OPTION_FLAG, offsetof(struct options, read_write) },
};

static int add_use(struct list *list, const struct use *use,
		   struct img_err *err)
{
	img_auto(img_mem_release) char *name = NULL;
	const char *mode = use->read_only ? "read-only" : "read-write";
	struct volume volume = use->volume;
	char node[VOLUME_NODE_MAX];
	bool is_image = false;
	int r;

	if (use->kind != USE_ACTIVE)
		return 0;
	volume.read_only = use->read_only;
	r = object_name(list->store, volume.id, &is_image, &name, err);
	if (r == 0) /* it is: this asks for its node */
		r = volume_activate(list->store, &volume, node, err);
	if (r < 0)
		return r;
	if (list->options->quiet)
		(void)printf("%s\n", node);
	list_add(list,
		 (const char *const[]){ is_image ? "image" : "container", name,
					mode, use->is_open ? "open" : "",
					node },
		 json_pack("{ss ss sb sb ss}", "Name", name, "Type",
			   is_image ? "image" : "container", "ReadOnly",
			   use->read_only, "Open", use->is_open, "Device",
			   node));
	return 0;
}

static int fill(struct list *list, struct img_err *err)
{
	img_auto(img_mem_release) struct use *uses = NULL;
	size_t count = 0;
	int r = use_list(list->store, &uses, &count, err);

	for (size_t i = 0; r == 0 && i < count; i++)
		r = add_use(list, &uses[i], err);
	return r;
}

/* IMG_E_BUSY when it runs, or is active already. */
static int check(struct store *store, const struct object *object,
		 bool read_write, struct img_err *err)
{
	img_auto(img_mem_release) struct use *uses = NULL;
	size_t count = 0;
	int r;

	if (object->is_image && read_write)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "an image never changes: 'img run' makes a "
				   "container of it");
	r = object->is_image
		    ? 0
		    : container_is_running(store, &object->container, err);
	if (r > 0)
		return img_err_set(err, IMG_E_BUSY, 0,
				   "it is running: its file system is in use");
	if (r == 0)
		r = use_list(store, &uses, &count, err);
	for (size_t i = 0; r == 0 && i < count; i++)
		if (uses[i].kind == USE_ACTIVE &&
		    uses[i].volume.id == object->volume.id)
			return img_err_set(
				err, IMG_E_BUSY, 0, "it is active already, %s",
				uses[i].read_only ? "read-only" : "read-write");
	return r;
}

static int activate(struct store *store, const char *ref, bool read_write,
		    struct img_err *err)
{
	img_auto(object_release) struct object object = { 0 };
	img_auto(use_drop) struct volume_pending pending = { 0 };
	char node[VOLUME_NODE_MAX];
	int r = store_need_pool(store, err);

	if (r == 0)
		r = object_find(store, ref, &object, err);
	if (r == 0)
		r = check(store, &object, read_write, err);
	if (r < 0)
		return r;
	object.volume.read_only = !read_write;
	r = use_begin(store, &object.volume, &pending, err);
	if (r == 0)
		r = volume_activate(store, &pending.volume, node, err);
	if (r == 0)
		r = use_turn(&pending, USE_ACTIVE, err);
	if (r < 0)
		return r;
	use_keep(&pending);
	(void)printf("%s\n", node);
	return 0;
}

static int run_activate(const struct cli *cli, void *values, int argc,
			char **argv, struct img_err *err)
{
	static const struct list_kind kind = {
		.columns = 5,
		.heading = { "TYPE", "NAME", "MODE", "STATE", "DEVICE" },
		.fill = fill,
	};
	const struct options *o = values;
	img_auto(store_close) struct store *store = NULL;
	int r;

	if (argc == 0)
		return list_run(cli, &kind, &o->list, o, NULL, err);
	r = cli_open_store(cli, false, &store, err);
	if (r == 0)
		r = activate(store, argv[0], o->read_write, err);
	return r < 0 ? img_err_prefix(err, "cannot activate %s", argv[0]) : 0;
}

const struct verb verb_activate = {
	.name = "activate",
	.arguments = "[OBJECT]",
	.summary = "Make the block device of a container or an image",
	.description =
		"For a virtual machine, or for tools that want a device; its "
		"path is printed. It stays\nuntil 'img deactivate', or a "
		"reboot. Without OBJECT, what is active is listed.\n\nThe "
		"device refuses writes, unless a container that does not run "
		"is activated with\n--read-write. While its device is active a "
		"container cannot run or be removed, and while\nit may be "
		"written not be committed either.",
	.options = VERB_OPTIONS(rows),
	.values_size = sizeof(struct options),
	.max_args = 1,
	.run = run_activate,
};

static int deactivate(const struct each *each, const char *ref,
		      struct img_err *err)
{
	struct store *store = each->store;
	img_auto(object_release) struct object object = { 0 };
	img_auto(img_mem_release) struct use *uses = NULL;
	img_auto(img_mem_release) char *place = NULL;
	size_t count = 0;
	int r = object_find(store, ref, &object, err);

	if (r == 0)
		r = use_list(store, &uses, &count, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		if (uses[i].kind != USE_ACTIVE ||
		    uses[i].volume.id != object.volume.id)
			continue;
		place = mountinfo_place(uses[i].dev);
		if (place)
			return img_err_set(err, IMG_E_BUSY, 0,
					   "it is mounted at %s", place);
		return use_end(store, &uses[i], err);
	}
	return img_err_set(err, IMG_E_NOT_FOUND, 0, "it is not active");
}

static int run_deactivate(const struct cli *cli, void *values, int argc,
			  char **argv, struct img_err *err)
{
	struct each each = { .doing = "deactivate", .fn = deactivate };

	return each_argument(cli, &each, argc, argv, err);
}

const struct verb verb_deactivate = {
	.name = "deactivate",
	.arguments = "OBJECT [OBJECT...]",
	.summary = "Take the block device of 'img activate' down again",
	.description = "Refused while somebody has it open.",
	.min_args = 1,
	.max_args = -1,
	.run = run_deactivate,
};
