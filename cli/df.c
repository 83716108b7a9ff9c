#include "base/cleanup.h"
#include "base/num.h"
#include "base/str.h"
#include "cli/snapshots.h"
#include "cli/table.h"
#include "cli/verb.h"
#include "image/image.h"
#include "storage/account.h"

struct options {
	const char *format;
};

static const struct option_row rows[] = {
	{ 0, "format", "FORMAT", "table or json", OPTION_TEXT,
	  offsetof(struct options, format) },
};

struct list {
	struct store *store;
	struct account *account;
	struct table table;
	json_t *json;
	uint64_t exclusive_bytes;
};

static int add(struct list *list, const char *type, const char *name,
	       const char *id, const struct volume *volume, struct img_err *err)
{
	char exclusive[SIZE_TEXT_MAX], shared[SIZE_TEXT_MAX];
	char size[SIZE_TEXT_MAX];
	struct account_usage usage;
	int r = account_volume(list->account, volume->id, &usage, err);

	if (r < 0)
		return r;
	list->exclusive_bytes += usage.exclusive_bytes;
	table_add(&list->table,
		  (const char *const[]){
			  type, name,
			  num_format_size(usage.exclusive_bytes, exclusive),
			  num_format_size(usage.mapped_bytes -
						  usage.exclusive_bytes,
					  shared),
			  num_format_size(volume->size_bytes, size) });
	(void)json_array_append_new(
		list->json,
		json_pack("{ss ss ss sI sI sI}", "Type", type, "Name", name,
			  "Id", id, "ExclusiveBytes",
			  (json_int_t)usage.exclusive_bytes, "SharedBytes",
			  (json_int_t)(usage.mapped_bytes -
				       usage.exclusive_bytes),
			  "SizeBytes", (json_int_t)volume->size_bytes));
	return 0;
}

static int first_name(void *self, const struct image_name *name,
		      struct img_err *err)
{
	*(char **)self = mem_printf("%s:%s", name->name, name->tag);
	return 1;
}

static int add_image(void *self, const struct image *image, struct img_err *err)
{
	struct list *list = self;
	img_auto(img_mem_release) char *name = NULL;
	int r = image_each_name(list->store, image->id.hex, first_name, &name,
				err);

	if (r < 0)
		return r;
	if (!name)
		name = mem_printf("<none> %.12s", image->id.hex);
	return add(list, "image", name, image->id.hex, &image->volume, err);
}

static int add_container(void *self, const struct container_row *row,
			 struct img_err *err)
{
	return add(self, "container", row->name, row->id.hex, &row->volume,
		   err);
}

static int add_snapshot(void *self, const struct snapshot_row *row,
			struct img_err *err)
{
	img_auto(img_mem_release) char *name =
		mem_printf("%s@%s", row->container_name, row->name);

	return add(self, "snapshot", name, row->container.hex, &row->volume,
		   err);
}

static void print_pool(const struct store_usage *usage, uint64_t host_bytes)
{
	char used[SIZE_TEXT_MAX], all[SIZE_TEXT_MAX];

	(void)printf("data       %s of %s used (%llu%%)\n",
		     num_format_size(usage->data_used_bytes, used),
		     num_format_size(usage->data_bytes, all),
		     (unsigned long long)(usage->data_bytes
						  ? usage->data_used_bytes *
							    100 /
							    usage->data_bytes
						  : 0));
	(void)printf("metadata   %s of %s used\n",
		     num_format_size(usage->metadata_used_bytes, used),
		     num_format_size(usage->metadata_bytes, all));
	(void)printf("on host    %s\n\n", num_format_size(host_bytes, used));
}

static int fill(struct list *list, struct store *store,
		struct store_usage *usage, uint64_t *host_bytes,
		struct img_err *err)
{
	int r = store_usage(store, usage, err);

	if (r == 0)
		r = account_open(store, &list->account, err);
	if (r == 0)
		r = account_host_bytes(list->account, host_bytes, err);
	list->store = store;
	if (r == 0)
		r = image_each(store, add_image, list, err);
	if (r == 0)
		r = container_each(store, add_container, list, err);
	if (r == 0)
		r = snapshot_each(store, NULL, add_snapshot, list, err);
	return r;
}

static void print(struct list *list, const struct store_usage *usage,
		  uint64_t host_bytes, bool json)
{
	if (!json) {
		print_pool(usage, host_bytes);
		table_print(&list->table, false);
		return;
	}
	format_print_json(json_pack(
		"{sI sI sI sI sI sO}", "DataBytes",
		(json_int_t)usage->data_bytes, "DataUsedBytes",
		(json_int_t)usage->data_used_bytes, "MetadataBytes",
		(json_int_t)usage->metadata_bytes, "MetadataUsedBytes",
		(json_int_t)usage->metadata_used_bytes, "HostBytes",
		(json_int_t)host_bytes, "Volumes", list->json));
}

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	const struct options *o = values;
	img_auto(store_close) struct store *store = NULL;
	struct list list = { 0 };
	struct store_usage usage;
	uint64_t host_bytes = 0;
	bool json;
	int r = format_is_json(o->format, &json, err);

	if (r == 0)
		r = cli_open_store(cli, false, &store, err);
	if (r < 0)
		return r;
	table_init(&list.table, 5,
		   (const char *const[]){ "TYPE", "NAME", "EXCLUSIVE", "SHARED",
					  "SIZE" });
	list.json = json_array();
	r = fill(&list, store, &usage, &host_bytes, err);
	if (r == 0)
		print(&list, &usage, host_bytes, json);
	account_close(&list.account);
	json_decref(list.json);
	table_release(&list.table);
	return r;
}

const struct verb verb_df = {
	.name = "df",
	.arguments = "",
	.summary = "Show what the pool holds, and what each volume has of it",
	.description =
		"EXCLUSIVE is what removing that one alone gives back; SHARED "
		"is what it has in\ncommon with others; SIZE is what it could "
		"grow to.",
	.options = VERB_OPTIONS(rows),
	.values_size = sizeof(struct options),
	.run = run,
};
