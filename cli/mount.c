#include "base/cleanup.h"
#include "base/file.h"
#include "base/mountinfo.h"
#include "base/str.h"
#include "cli/list.h"
#include "cli/view.h"
#include "runtime/look.h"
#include "storage/use.h"

struct options {
	struct list_options list;
};

static const struct option_row rows[] = {
	{ 0, "format", "FORMAT",
	  "of the list: table, json, or a template as {{json .}}", OPTION_TEXT,
	  offsetof(struct options, list.format) },
	{ 'q', "quiet", NULL, "list places alone", OPTION_FLAG,
	  offsetof(struct options, list.quiet) },
};

/* One use on its way into the list, once for each place of its mount. */
struct entry {
	struct list *list;
	const struct use *use;
	const char *name;
	bool is_image, placed;
};

static void add(struct entry *entry, const char *place)
{
	const char *type = entry->is_image ? "image" : "container";
	json_t *json = json_pack("{ss ss so}", "Name", entry->name, "Type",
				 type, "MountPoint",
				 place ? json_string(place) : json_null());

	list_add(entry->list,
		 (const char *const[]){ type, entry->name,
					place ? place : "(elsewhere)" },
		 json);
	if (entry->list->options->quiet && place)
		(void)printf("%s\n", place);
}

static int add_place(void *self, const struct mountinfo *mount,
		     struct img_err *err)
{
	struct entry *entry = self;

	if (mount->dev == entry->use->dev) {
		entry->placed = true;
		add(entry, mount->place);
	}
	return 0;
}

static int add_use(struct list *list, const struct use *use,
		   struct img_err *err)
{
	img_auto(img_mem_release) char *name = NULL;
	struct entry entry = { .list = list, .use = use };
	uint32_t whose =
		use->kind == USE_VIEW ? use->volume.origin : use->volume.id;
	int r = object_name(list->store, whose, &entry.is_image, &name, err);

	if (r < 0)
		return r;
	entry.name = name;
	r = mountinfo_each(add_place, &entry, err);
	/* What is handed out need not be mounted by anybody here. */
	if (r == 0 && !entry.placed && use->kind != USE_ACTIVE)
		add(&entry, NULL);
	return r;
}

/* An image that is mounted twice has one device, and is in the list twice. */
static bool seen_before(const struct use *list, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (list[j].dev == list[i].dev)
			return true;
	return false;
}

static int fill(struct list *list, struct img_err *err)
{
	img_auto(img_mem_release) struct use *uses = NULL;
	size_t count = 0;
	int r = use_list(list->store, &uses, &count, err);

	for (size_t i = 0; r == 0 && i < count; i++)
		if (!seen_before(uses, i))
			r = add_use(list, &uses[i], err);
	return r;
}

static int place_of(struct store *store, const struct volume_pending *pending,
		    const char *dir, char **ret, struct img_err *err)
{
	if (dir) {
		*ret = realpath(dir, NULL);
		return *ret ? 0 : img_err_sys(err, "cannot mount on %s", dir);
	}
	*ret = use_place(store, pending->intent);
	return file_mkdirs(*ret, 0755, err);
}

/* An image that is clean, as it should be: its own device, which refuses
 * writes. */
static int mount_whole(struct store *store, const struct object *object,
		       const char *dir, char **place, struct img_err *err)
{
	img_auto(use_drop) struct volume_pending pending = { 0 };
	char node[VOLUME_NODE_MAX];
	struct volume volume = object->volume;
	int r;

	volume.read_only = true;
	r = use_begin(store, &volume, &pending, err);
	if (r == 0)
		r = place_of(store, &pending, dir, place, err);
	if (r == 0)
		r = volume_activate(store, &pending.volume, node, err);
	if (r == 0)
		r = look_mount(node, *place, err);
	if (r == 0)
		use_keep(&pending);
	return r;
}

static int mount_view(struct store *store, const struct object *object,
		      const char *dir, char **place, struct img_err *err)
{
	img_auto(view_release) struct view view = { 0 };
	int r = view_open(store, object, &view, err);

	if (r == 0)
		r = place_of(store, &view.pending, dir, place, err);
	if (r == 0)
		r = use_turn(&view.pending, USE_VIEW, err);
	if (r == 0)
		r = look_mount(view.node, *place, err);
	if (r == 0)
		use_keep(&view.pending);
	return r;
}

static int mount_object(struct store *store, const char *ref, const char *dir,
			struct img_err *err)
{
	img_auto(object_release) struct object object = { 0 };
	img_auto(img_mem_release) char *place = NULL;
	struct img_err whole = { 0 };
	int r = store_need_pool(store, err);

	if (r == 0)
		r = object_find(store, ref, &object, err);
	if (r < 0)
		return r;
	if (object.is_image)
		r = mount_whole(store, &object, dir, &place, &whole);
	/* Committed from a container that had crashed: its journal is replayed
	 * elsewhere. */
	if (!object.is_image || (r < 0 && whole.sys_errno == EROFS)) {
		img_mem_release(&place);
		r = mount_view(store, &object, dir, &place, err);
	} else if (r < 0) {
		*err = whole;
	}
	if (r == 0)
		(void)printf("%s\n", place);
	return r;
}

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	static const struct list_kind kind = {
		.columns = 3,
		.heading = { "TYPE", "NAME", "MOUNTED ON" },
		.fill = fill,
	};
	const struct options *o = values;
	img_auto(store_close) struct store *store = NULL;
	int r;

	if (argc == 0)
		return list_run(cli, &kind, &o->list, o, NULL, err);
	r = cli_open_store(cli, false, &store, err);
	if (r == 0)
		r = mount_object(store, argv[0], argc > 1 ? argv[1] : NULL,
				 err);
	return r < 0 ? img_err_prefix(err, "cannot mount %s", argv[0]) : 0;
}

const struct verb verb_mount = {
	.name = "mount",
	.arguments = "[OBJECT [DIR]]",
	.summary = "Mount a container or an image, read-only, to look at it",
	.description =
		"Without DIR a directory is made for it; its path is printed. "
		"Without OBJECT, what is\nmounted is listed.\n\nA container, "
		"running or not, is shown as it is now: its file system is "
		"frozen for the\ninstant of a snapshot, and what is mounted is "
		"that. It goes with the mount, whoever\nunmounts it. Nothing "
		"in it can be executed, and its devices are none.",
	.options = VERB_OPTIONS(rows),
	.values_size = sizeof(struct options),
	.max_args = 2,
	.run = run,
};
