#include "base/cleanup.h"
#include "base/num.h"
#include "base/str.h"
#include "cli/clock.h"
#include "cli/table.h"
#include "cli/verb.h"
#include "image/image.h"
#include "storage/account.h"

struct options {
	const char *format;
	bool quiet, no_trunc;
};

static const struct option_row rows[] = {
	{ 0, "format", "FORMAT", "table or json", OPTION_TEXT,
	  offsetof(struct options, format) },
	{ 0, "no-trunc", NULL, "show whole ids", OPTION_FLAG,
	  offsetof(struct options, no_trunc) },
	{ 'q', "quiet", NULL, "show ids alone", OPTION_FLAG,
	  offsetof(struct options, quiet) },
};

struct list {
	const struct options *o;
	struct store *store;
	struct account *account;
	struct table table;
	json_t *json;
	const struct image *image;
	uint64_t size_bytes;
	bool named;
};

static void add(struct list *list, const char *name, const char *tag)
{
	const struct image *image = list->image;
	char age[CLOCK_TEXT_MAX], time[CLOCK_TEXT_MAX], size[SIZE_TEXT_MAX];
	char id[ID_LEN + 1];

	(void)snprintf(id, sizeof(id), "%.*s",
		       list->o->no_trunc ? ID_LEN : ID_SHORT_LEN,
		       image->id.hex);
	table_add(&list->table,
		  (const char *const[]){
			  name, tag, id, clock_age(image->created_ns, age),
			  num_format_size(list->size_bytes, size) });
	(void)json_array_append_new(
		list->json,
		json_pack("{ss ss ss ss sI sI}", "Id", image->id.hex,
			  "Repository", name, "Tag", tag, "Created",
			  clock_rfc3339(image->created_ns, time), "Size",
			  (json_int_t)list->size_bytes, "VirtualSize",
			  (json_int_t)image->volume.size_bytes));
}

static int add_name(void *self, const struct image_name *name,
		    struct img_err *err)
{
	struct list *list = self;

	list->named = true;
	add(list, name->name, name->tag);
	return 0;
}

static int add_image(void *self, const struct image *image, struct img_err *err)
{
	struct list *list = self;
	struct account_usage usage;
	int r;

	if (list->o->quiet) {
		(void)printf("%.*s\n",
			     list->o->no_trunc ? ID_LEN : ID_SHORT_LEN,
			     image->id.hex);
		return 0;
	}
	list->image = image;
	list->named = false;
	r = account_volume(list->account, image->volume.id, &usage, err);
	if (r < 0)
		return r;
	list->size_bytes = usage.mapped_bytes;
	r = image_each_name(list->store, image->id.hex, add_name, list, err);
	if (r == 0 && !list->named)
		add(list, "<none>", "<none>");
	return r;
}

static int fill(const struct cli *cli, struct list *list, struct img_err *err)
{
	img_auto(store_close) struct store *store = NULL;
	img_auto(account_close) struct account *account = NULL;
	struct img_err missing = { 0 };
	int r = cli_open_store(cli, false, &store, &missing);

	if (r == -IMG_E_NOT_FOUND)
		return 0; /* no store, no images */
	if (r < 0) {
		*err = missing;
		return r;
	}
	r = account_open(store, &account, err);
	if (r < 0)
		return r;
	list->store = store;
	list->account = account;
	return image_each(store, add_image, list, err);
}

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	struct list list = { .o = values };
	bool json;
	int r = format_is_json(list.o->format, &json, err);

	if (r < 0)
		return r;
	table_init(&list.table, 5,
		   (const char *const[]){ "REPOSITORY", "TAG", "IMAGE ID",
					  "CREATED", "SIZE" });
	list.json = json_array();
	r = fill(cli, &list, err);
	if (r == 0 && json)
		format_print_json(json_incref(list.json));
	else if (r == 0 && !list.o->quiet)
		table_print(&list.table, false);
	json_decref(list.json);
	table_release(&list.table);
	return r;
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
