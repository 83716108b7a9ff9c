#include "base/cleanup.h"
#include "base/num.h"
#include "cli/format.h"
#include "cli/table.h"
#include "cli/verb.h"
#include "storage/capacity.h"

struct options {
	const char *format;
};

static const struct option_row rows[] = {
	{ 0, "format", "FORMAT", "table or json", OPTION_TEXT,
	  offsetof(struct options, format) },
};

/* As dm-thin calls them, in its own order of gravity.  Of a store without a
 * pool: of the host's file system. */
static const char *mode_of(const struct store_usage *usage)
{
	if (usage->failed)
		return "fail";
	if (usage->needs_check)
		return "needs_check";
	if (usage->read_only)
		return "read-only";
	return usage->out_of_space ? "out_of_data_space" : "rw";
}

static const char *meaning_of(const struct store_usage *usage)
{
	if (usage->failed)
		return " (every request fails)";
	if (usage->needs_check)
		return " (no new volumes, until thin_check(8) was run)";
	if (usage->read_only)
		return " (writes fail)";
	return usage->out_of_space ? " (writes that need space fail)" : "";
}

static void print_part(const char *name, uint64_t used, uint64_t all,
		       uint64_t reserve)
{
	char a[SIZE_TEXT_MAX], b[SIZE_TEXT_MAX], c[SIZE_TEXT_MAX];

	(void)printf("%-10s %s of %s used, %s free\n", name,
		     num_format_size(used, a), num_format_size(all, b),
		     num_format_size(all - used, c));
	(void)printf("%-10s %s kept for what runs and for removals%s\n", "",
		     num_format_size(reserve, a),
		     all - used < reserve ? ": no new volumes" : "");
}

static const char *warning(uint64_t count)
{
	if (count >= CAPACITY_COUNTER_REFUSE)
		return ": no new volumes";
	return count >= CAPACITY_COUNTER_WARN
		       ? ": think of a new store, they are never used again"
		       : "";
}

static void print_limit(const struct capacity_status *s)
{
	char size[SIZE_TEXT_MAX];

	if (!s->can_grow)
		(void)printf("limit      the devices\n");
	else if (s->max_bytes)
		(void)printf("limit      %s of data\n",
			     num_format_size(s->max_bytes, size));
	else
		(void)printf("limit      the host's file system\n");
}

static void print_table(struct store *store, const struct capacity_status *s)
{
	const struct store_usage *u = &s->usage;
	char size[SIZE_TEXT_MAX];

	(void)printf("mode       %s%s\n", mode_of(u), meaning_of(u));
	if (store_data_device(store))
		(void)printf("devices    %s for data, %s for metadata\n",
			     store_data_device(store),
			     store_metadata_device(store));
	if (!u->failed) {
		print_part("data", u->data_used_bytes, u->data_bytes,
			   s->data_reserve_bytes);
		if (s->has_pool)
			print_part("metadata", u->metadata_used_bytes,
				   u->metadata_bytes,
				   s->metadata_reserve_bytes);
	}
	print_limit(s);
	(void)printf("chunk      %s\n",
		     num_format_size(store_chunk_bytes(store), size));
	if (s->has_pool)
		(void)printf("snapshots  %llu of %llu made%s\n",
			     (unsigned long long)s->time,
			     (unsigned long long)CAPACITY_COUNTER_MAX,
			     warning(s->time));
	(void)printf("ids        %llu of %llu given%s\n",
		     (unsigned long long)s->volume_id,
		     (unsigned long long)CAPACITY_COUNTER_MAX,
		     s->volume_id >= CAPACITY_COUNTER_WARN
			     ? ": free ones are given again at the end"
			     : "");
}

static json_t *text_or_null(const char *text)
{
	return text ? json_string(text) : json_null();
}

/* What only a pool has. */
static json_t *of_pool(const struct capacity_status *s, uint64_t number)
{
	return s->has_pool ? json_integer((json_int_t)number) : json_null();
}

static void print_json(struct store *store, const struct capacity_status *s)
{
	const struct store_usage *u = &s->usage;
	json_t *json = json_pack(
		"{ss ss sb sI sI sI so so so}", "Driver", store_driver(store),
		"Mode", mode_of(u), "NeedsCheck", (int)u->needs_check,
		"DataBytes", (json_int_t)u->data_bytes, "DataUsedBytes",
		(json_int_t)u->data_used_bytes, "DataReserveBytes",
		(json_int_t)s->data_reserve_bytes, "MetadataBytes",
		of_pool(s, u->metadata_bytes), "MetadataUsedBytes",
		of_pool(s, u->metadata_used_bytes), "MetadataReserveBytes",
		of_pool(s, s->metadata_reserve_bytes));
	json_t *more = json_pack(
		"{sI sI so so sI so so so}", "ChunkBytes",
		(json_int_t)store_chunk_bytes(store), "MaxBytes",
		(json_int_t)s->max_bytes, "CanGrow", json_boolean(s->can_grow),
		"SnapshotsMade", of_pool(s, s->time), "HighestVolumeId",
		(json_int_t)s->volume_id, "TransactionId",
		of_pool(s, s->transaction_id), "DataDevice",
		text_or_null(store_data_device(store)), "MetadataDevice",
		text_or_null(store_metadata_device(store)));

	(void)json_object_update(json, more);
	json_decref(more);
	format_print_json(json);
}

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	const struct options *o = values;
	img_auto(store_close) struct store *store = NULL;
	struct capacity_status status = { 0 };
	bool json;
	int r = format_is_json(o->format, &json, err);

	if (r == 0)
		r = cli_open_store(cli, false, &store, err);
	if (r == 0)
		r = capacity_status(store, &status, err);
	if (r < 0)
		return r;
	if (json)
		print_json(store, &status);
	else
		print_table(store, &status);
	return 0;
}

const struct verb verb_pool_status = {
	.name = "pool status",
	.arguments = "",
	.summary = "Show the state of the pool: mode, space, reserve, counters",
	.description =
		"MODE is rw, out_of_data_space, read-only, needs_check or "
		"fail, as dm-thin has it.\nBelow what is kept free no new "
		"volume is made; removals always work. Snapshots and\nids are "
		"counters of dm-thin that end: half-way there a warning is "
		"shown, and at 95%\nno new volumes are made. A store of the "
		"driver snapshot has no pool: what is shown then\nis the "
		"host's file system, of which its files take what they need.",
	.options = VERB_OPTIONS(rows),
	.values_size = sizeof(struct options),
	.run = run,
};
