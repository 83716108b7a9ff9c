#include "base/cleanup.h"
#include "base/num.h"
#include "cli/clock.h"
#include "cli/table.h"
#include "cli/verb.h"
#include "image/image.h"
#include "storage/account.h"

#include <string.h>

struct options {
	const char *format;
	bool quiet, no_trunc;
};

static const struct option_row rows[] = {
	{ 0, "format", "FORMAT", "table or json", OPTION_TEXT,
	  offsetof(struct options, format) },
	{ 0, "no-trunc", NULL, "show whole ids and commands", OPTION_FLAG,
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
};

/* What a step added, as long as both its sides are there to be compared. */
static int step_bytes(struct list *list, const char *layer, bool *ret_known,
		      uint64_t *ret_bytes, struct img_err *err)
{
	img_auto(image_release) struct image image = { 0 };
	img_auto(image_release) struct image parent = { 0 };
	struct account_usage usage;
	int r = image_get(list->store, layer, &image, err);

	*ret_known = r > 0;
	if (r <= 0)
		return r;
	if (!image.parent.hex[0]) {
		r = account_volume(list->account, image.volume.id, &usage, err);
		*ret_bytes = usage.mapped_bytes;
		return r;
	}
	r = image_get(list->store, image.parent.hex, &parent, err);
	*ret_known = r > 0;
	return r <= 0 ? r
		      : account_change(list->account, parent.volume.id,
				       image.volume.id, ret_bytes, err);
}

static int add_step(void *self, const struct image_step *step,
		    struct img_err *err)
{
	struct list *list = self;
	char age[CLOCK_TEXT_MAX], time[CLOCK_TEXT_MAX], size[SIZE_TEXT_MAX];
	char id[ID_LEN + 1], by[256];
	uint64_t bytes = 0;
	bool known = false;
	int r = 0;

	(void)snprintf(id, sizeof(id), "%.*s",
		       list->o->no_trunc ? ID_LEN : ID_SHORT_LEN, step->layer);
	if (list->o->quiet) {
		(void)printf("%s\n", id);
		return 0;
	}
	r = step_bytes(list, step->layer, &known, &bytes, err);
	if (r < 0)
		return r;
	if (!list->o->no_trunc && strlen(step->created_by) > 45)
		(void)snprintf(by, sizeof(by), "%.42s...", step->created_by);
	table_add(&list->table,
		  (const char *const[]){
			  id, clock_age(step->created_ns, age),
			  !list->o->no_trunc && strlen(step->created_by) > 45
				  ? by
				  : step->created_by,
			  known ? num_format_size(bytes, size) : "-",
			  step->comment });
	(void)json_array_append_new(
		list->json,
		json_pack("{ss ss ss ss so}", "Id", step->layer, "Created",
			  clock_rfc3339(step->created_ns, time), "CreatedBy",
			  step->created_by, "Comment", step->comment, "Size",
			  known ? json_integer((json_int_t)bytes)
				: json_null()));
	return 0;
}

static int fill(const struct cli *cli, const char *ref, struct list *list,
		struct img_err *err)
{
	img_auto(store_close) struct store *store = NULL;
	img_auto(account_close) struct account *account = NULL;
	img_auto(image_release) struct image image = { 0 };
	int r = cli_open_store(cli, false, &store, err);

	if (r == 0)
		r = image_find(store, ref, &image, err);
	if (r == 0)
		r = account_open(store, &account, err);
	if (r < 0)
		return r;
	list->store = store;
	list->account = account;
	return image_each_step(store, image.id.hex, add_step, list, err);
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
		   (const char *const[]){ "IMAGE", "CREATED", "CREATED BY",
					  "SIZE", "COMMENT" });
	list.json = json_array();
	r = fill(cli, argv[0], &list, err);
	if (r == 0 && json)
		format_print_json(json_incref(list.json));
	else if (r == 0 && !list.o->quiet)
		table_print(&list.table, false);
	json_decref(list.json);
	table_release(&list.table);
	return r;
}

const struct verb verb_history = {
	.name = "history",
	.arguments = "IMAGE",
	.summary = "Show how an image came about, newest step first",
	.description = "SIZE is what a step added or changed; \"-\" where the "
		       "images of the step are gone.",
	.options = VERB_OPTIONS(rows),
	.values_size = sizeof(struct options),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
