#include "base/cleanup.h"
#include "base/num.h"
#include "cli/clock.h"
#include "cli/list.h"
#include "image/image.h"
#include "storage/account.h"

struct options {
	struct list_options list;
};

static const struct option_row rows[] = {
	LIST_OPTION_ROWS(struct options),
};

/* An image on its way into the list, once for each of its names. */
struct entry {
	struct list *list;
	struct account *account;
	const struct image *image;
	uint64_t size_bytes;
	bool named;
};

static void add(struct entry *entry, const char *name, const char *tag)
{
	const struct image *image = entry->image;
	char age[CLOCK_TEXT_MAX], time[CLOCK_TEXT_MAX], size[SIZE_TEXT_MAX];
	char id[ID_LEN + 1];

	list_add(entry->list,
		 (const char *const[]){
			 name, tag, list_id(entry->list, image->id.hex, id),
			 clock_age(image->created_ns, age),
			 num_format_size(entry->size_bytes, size) },
		 json_pack("{ss ss ss ss sI sI}", "Id", image->id.hex,
			   "Repository", name, "Tag", tag, "Created",
			   clock_rfc3339(image->created_ns, time), "Size",
			   (json_int_t)entry->size_bytes, "VirtualSize",
			   (json_int_t)image->volume.size_bytes));
}

static int add_name(void *self, const struct image_name *name,
		    struct img_err *err)
{
	struct entry *entry = self;

	entry->named = true;
	add(entry, name->name, name->tag);
	return 0;
}

static int add_image(void *self, const struct image *image, struct img_err *err)
{
	struct entry *entry = self;
	struct account_usage usage;
	int r;

	if (list_quiet(entry->list, image->id.hex))
		return 0;
	r = account_volume(entry->account, image->volume.id, &usage, err);
	if (r < 0)
		return r;
	entry->image = image;
	entry->named = false;
	entry->size_bytes = usage.mapped_bytes;
	r = image_each_name(entry->list->store, image->id.hex, add_name, entry,
			    err);
	if (r == 0 && !entry->named)
		add(entry, "<none>", "<none>");
	return r;
}

static int fill(struct list *list, struct img_err *err)
{
	img_auto(account_close) struct account *account = NULL;
	struct entry entry = { .list = list };
	int r = account_open(list->store, &account, err);

	if (r < 0)
		return r;
	entry.account = account;
	return image_each(list->store, add_image, &entry, err);
}

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	static const struct list_kind kind = {
		.columns = 5,
		.heading = { "REPOSITORY", "TAG", "IMAGE ID", "CREATED",
			     "SIZE" },
		.fill = fill,
	};
	const struct options *o = values;

	return list_run(cli, &kind, &o->list, o, NULL, err);
}

const struct verb verb_images = {
	.name = "images",
	.arguments = "",
	.summary = "List images",
	.description = "SIZE is what an image refers to in the pool, shared "
		       "with others or not;\n'img df' tells which.",
	.options = VERB_OPTIONS(rows),
	.values_size = sizeof(struct options),
	.run = run,
};
