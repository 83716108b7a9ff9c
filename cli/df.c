#include "base/cleanup.h"
#include "base/num.h"
#include "base/str.h"
#include "cli/format.h"
#include "cli/object.h"
#include "cli/snapshots.h"
#include "cli/table.h"
#include "cli/verb.h"
#include "image/named_volume.h"
#include "storage/account.h"

#include <inttypes.h>

struct options {
	const char *format;
};

static const struct option_row rows[] = {
	{ 0, "format", "FORMAT", "table or json", OPTION_TEXT,
	  offsetof(struct options, format) },
};

/* Whole numbers of one unit, so that what is shown adds up. */
#define UNIT	   KIB
#define CELL_BYTES 24

struct df {
	struct store *store;
	struct account *account;
	struct account_all all;
	bool has_pool;	 /* else the parts do not add up */
	uint32_t *named; /* volumes that a row was shown for */
	size_t n, room;
	struct table table;
	json_t *json; /* NULL: nobody asked for it */
	uint64_t deleted_bytes;
};

static const char *cell(uint64_t bytes, char out[CELL_BYTES])
{
	(void)snprintf(out, CELL_BYTES, "%" PRIu64, bytes / UNIT);
	return out;
}

static void show(struct df *df, const char *type, const char *name,
		 uint64_t exclusive_bytes, uint64_t shared_bytes,
		 uint64_t size_bytes)
{
	char exclusive[CELL_BYTES], shared[CELL_BYTES], size[CELL_BYTES];

	table_add(&df->table,
		  (const char *const[]){
			  type, name, cell(exclusive_bytes, exclusive),
			  cell(shared_bytes, shared),
			  size_bytes ? cell(size_bytes, size) : "" });
}

static void note_volume(struct df *df, uint32_t volume)
{
	if (df->n == df->room) {
		df->room = df->room ? 2 * df->room : 64;
		df->named =
			mem_realloc(df->named, df->room * sizeof(*df->named));
	}
	df->named[df->n++] = volume;
}

static int add(struct df *df, const char *type, const char *name,
	       const char *id, const struct volume *volume, struct img_err *err)
{
	const struct account_usage *found =
		account_all_find(&df->all, volume->id);
	struct account_usage usage = { 0 };
	uint64_t shared;

	if (found)
		usage = *found;
	note_volume(df, volume->id);
	shared = usage.mapped_bytes - usage.exclusive_bytes;
	show(df, type, name, usage.exclusive_bytes, shared, volume->size_bytes);
	if (df->json)
		(void)json_array_append_new(
			df->json,
			json_pack("{ss ss ss sI sI sI}", "Type", type, "Name",
				  name, "Id", id, "ExclusiveBytes",
				  (json_int_t)usage.exclusive_bytes,
				  "SharedBytes", (json_int_t)shared,
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
	struct df *df = self;
	img_auto(img_mem_release) char *name = NULL;
	int r = image_each_name(df->store, image->id.hex, first_name, &name,
				err);

	if (r < 0)
		return r;
	if (!name)
		name = mem_printf("<none> %.12s", image->id.hex);
	return add(df, "image", name, image->id.hex, &image->volume, err);
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

static int add_named(void *self, const struct named_volume *named,
		     struct img_err *err)
{
	return add(self, "volume", named->name, named->name, &named->volume,
		   err);
}

static int by_id(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* What the pool has and no object: just coming, or deleted and not returned
 * yet. */
static void add_deleted(struct df *df)
{
	if (df->n)
		qsort(df->named, df->n, sizeof(*df->named), by_id);
	for (size_t i = 0; i < df->all.n; i++) {
		const struct account_row *row = &df->all.row[i];
		char name[32];

		if (df->n && bsearch(&row->volume, df->named, df->n,
				     sizeof(*df->named), by_id))
			continue;
		df->deleted_bytes += row->usage.exclusive_bytes;
		(void)snprintf(name, sizeof(name), "volume %" PRIu32,
			       row->volume);
		show(df, "unreturned", name, row->usage.exclusive_bytes,
		     row->usage.mapped_bytes - row->usage.exclusive_bytes, 0);
	}
}

static int fill(struct df *df, struct img_err *err)
{
	int r = image_each(df->store, add_image, df, err);

	if (r == 0)
		r = container_each(df->store, add_container, df, err);
	if (r == 0)
		r = snapshot_each(df->store, NULL, add_snapshot, df, err);
	if (r == 0)
		r = named_volume_each(df->store, add_named, df, err);
	if (r < 0 || !df->has_pool)
		return r;
	add_deleted(df);
	show(df, "ledger", "", df->all.ledger_bytes, 0, 0);
	show(df, "shared", "by several, once", df->all.shared_bytes, 0, 0);
	show(df, "used", "in sum", df->all.used_bytes, 0, 0);
	return 0;
}

static void print_pool(const struct df *df, const struct store_usage *usage,
		       uint64_t host_bytes)
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
	if (usage->metadata_bytes)
		(void)printf("metadata   %s of %s used\n",
			     num_format_size(usage->metadata_used_bytes, used),
			     num_format_size(usage->metadata_bytes, all));
	if (store_data_device(df->store))
		(void)printf("on host    %s, %s\n",
			     store_data_device(df->store),
			     store_metadata_device(df->store));
	else
		(void)printf("on host    %s\n",
			     num_format_size(host_bytes, used));
	(void)printf("\nin KiB:\n");
}

static void print_json(struct df *df, const struct store_usage *usage,
		       uint64_t host_bytes)
{
	json_t *json =
		json_pack("{sI sI sI sI sI sO}", "DataBytes",
			  (json_int_t)usage->data_bytes, "DataUsedBytes",
			  (json_int_t)usage->data_used_bytes, "MetadataBytes",
			  (json_int_t)usage->metadata_bytes,
			  "MetadataUsedBytes",
			  (json_int_t)usage->metadata_used_bytes, "HostBytes",
			  (json_int_t)host_bytes, "Volumes", df->json);
	json_t *rest;

	if (df->has_pool) {
		rest = json_pack("{sI sI sI}", "SharedBytes",
				 (json_int_t)df->all.shared_bytes,
				 "LedgerBytes",
				 (json_int_t)df->all.ledger_bytes,
				 "UnreturnedBytes",
				 (json_int_t)df->deleted_bytes);
		(void)json_object_update(json, rest);
		json_decref(rest);
	}
	format_print_json(json);
}

static int df_all(struct df *df, bool as_json, struct img_err *err)
{
	struct store_usage usage = { 0 };
	uint64_t host_bytes = 0;
	/* The pool commits when it is asked, so what follows is up to date. */
	int r = store_usage(df->store, &usage, err);

	if (r == 0)
		r = account_all(df->account, &df->all, err);
	if (r == 0 && df->has_pool)
		r = account_host_bytes(df->account, &host_bytes, err);
	else
		host_bytes = df->all.used_bytes;
	if (r == 0 && df->has_pool)
		usage.data_used_bytes = df->all.used_bytes;
	if (r == 0)
		r = fill(df, err);
	if (r < 0)
		return r;
	if (as_json) {
		print_json(df, &usage, host_bytes);
		return 0;
	}
	print_pool(df, &usage, host_bytes);
	table_print(&df->table, false);
	return 0;
}

/* A container's snapshots go with it. */
static int add_object(struct df *df, const char *ref, struct img_err *err)
{
	img_auto(object_release) struct object object = { 0 };
	int r = object_find(df->store, ref, &object, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < df->n; i++)
		if (df->named[i] == object.volume.id)
			return img_err_set(err, IMG_E_INPUT, 0,
					   "%s is named twice", ref);
	if (object.is_image)
		return add_image(df, &object.image, err);
	r = add_container(df, &object.container, err);
	return r < 0 ? r
		     : snapshot_each(df->store, &object.container, add_snapshot,
				     df, err);
}

static int df_some(struct df *df, bool as_json, int argc, char **argv,
		   struct img_err *err)
{
	struct store_usage usage;
	uint64_t bytes = 0;
	int r = store_usage(df->store, &usage, err);

	if (r == 0)
		r = account_all(df->account, &df->all, err);
	for (int i = 0; r == 0 && i < argc; i++)
		r = add_object(df, argv[i], err);
	if (r == 0)
		r = account_together(df->account, df->named, df->n, &bytes,
				     err);
	if (r < 0)
		return r;
	if (as_json) {
		format_print_json(json_pack("{sI sO}", "TogetherBytes",
					    (json_int_t)bytes, "Volumes",
					    df->json));
		return 0;
	}
	show(df, "together", "given back", bytes, 0, 0);
	(void)printf("in KiB:\n");
	table_print(&df->table, false);
	return 0;
}

static void df_release(struct df *df)
{
	account_all_release(&df->all);
	account_close(&df->account);
	img_mem_release(&df->named);
	json_decref(df->json);
	table_release(&df->table);
}

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	const struct options *o = values;
	img_auto(store_close) struct store *store = NULL;
	img_auto(df_release) struct df df = { 0 };
	bool as_json;
	int r = format_is_json(o->format, &as_json, err);

	if (r == 0)
		r = cli_open_store(cli, false, &store, err);
	if (r < 0)
		return r;
	table_init(&df.table, 5,
		   (const char *const[]){ "TYPE", "NAME", "EXCLUSIVE", "SHARED",
					  "SIZE" });
	df.table.right_from = 2;
	df.json = as_json ? json_array() : NULL;
	df.store = store;
	r = account_open(store, &df.account, err);
	if (r < 0)
		return r;
	df.has_pool = account_has_pool(df.account);
	return argc ? df_some(&df, as_json, argc, argv, err)
		    : df_all(&df, as_json, err);
}

const struct verb verb_df = {
	.name = "df",
	.arguments = "[CONTAINER|IMAGE...]",
	.summary = "Show what the pool holds, and what each volume has of it",
	.description =
		"EXCLUSIVE is what removing that one alone gives back; SHARED "
		"is what it has in\ncommon with others; SIZE is what it could "
		"grow to. The first column adds up to\nwhat the pool has in "
		"use, what several have being counted once. What is "
		"unreturned\nis deleted, and on its way back. With names: what "
		"removing all of those gives back\ntogether, which can be more "
		"than one by one.",
	.options = VERB_OPTIONS(rows),
	.values_size = sizeof(struct options),
	.max_args = -1,
	.run = run,
};
