#include "base/cleanup.h"
#include "base/num.h"
#include "base/str.h"
#include "cli/clock.h"
#include "cli/container.h"
#include "cli/list.h"
#include "cli/ps_filter.h"
#include "image/config.h"
#include "storage/account.h"

#include <string.h>

/* Longest command that a table shows whole. */
#define COMMAND_MAX 20

struct options {
	struct list_options list;
	bool all, latest, size;
	uint64_t last;
	struct text_list filter;
};

static const struct option_row rows[] = {
	{ 'a', "all", NULL, "show stopped containers too", OPTION_FLAG,
	  offsetof(struct options, all) },
	{ 0, "filter", "NAME=VALUE",
	  "id, name, label, exited, status, ancestor, before, since, volume",
	  OPTION_LIST, offsetof(struct options, filter) },
	{ 'n', "last", "NUMBER", "the newest ones, stopped or not", OPTION_U64,
	  offsetof(struct options, last) },
	{ 'l', "latest", NULL, "the newest one, stopped or not", OPTION_FLAG,
	  offsetof(struct options, latest) },
	{ 's', "size", NULL, "show what each takes up of its own", OPTION_FLAG,
	  offsetof(struct options, size) },
	LIST_OPTION_ROWS(struct options),
};

/* A list that is being made. */
struct search {
	struct list *list;
	struct ps_filter *filters;
	struct account *account; /* where sizes are wanted */
	uint64_t left;		 /* how many may still come */
	bool all;
};

static bool is_up(const char *state)
{
	return strcmp(state, "running") == 0 || strcmp(state, "paused") == 0;
}

static char *status_of(const struct container_row *row, const char *state)
{
	char age[CLOCK_TEXT_MAX];

	if (is_up(state)) {
		(void)clock_age(row->started_ns, age);
		age[strlen(age) - strlen(" ago")] = '\0';
		return mem_printf("Up %s%s", age,
				  strcmp(state, "paused") == 0 ? " (Paused)"
							       : "");
	}
	if (strcmp(state, "created") == 0)
		return mem_strdup("Created");
	if (!row->finished_ns) /* whoever saw its end could not write it down */
		return mem_strdup("Exited");
	return mem_printf("Exited (%d) %s", row->exit_status,
			  clock_age(row->finished_ns, age));
}

/* Labels are in JSON an object, as inspect has them. */
static json_t *labels_of(const struct container_row *row)
{
	img_auto(json_release) json_t *config = NULL;
	struct img_err none = { 0 };
	json_t *labels = NULL;

	if (image_config_parse(row->config, &config, &none) == 0)
		labels = json_incref(json_object_get(config, "Labels"));
	return labels ? labels : json_object();
}

static int size_of(struct search *search, const struct container_row *row,
		   char out[SIZE_TEXT_MAX], struct img_err *err)
{
	struct account_usage usage;
	int r;

	out[0] = '\0';
	if (!search->account)
		return 0;
	r = account_volume(search->account, row->volume.id, &usage, err);
	if (r == 0)
		(void)num_format_size(usage.exclusive_bytes, out);
	return r;
}

static int add(struct search *search, const struct container_row *row,
	       const char *state, struct img_err *err)
{
	struct list *list = search->list;
	const struct options *o = list->values;
	img_auto(img_mem_release) char *command = NULL;
	img_auto(img_mem_release) char *status = NULL;
	img_auto(img_mem_release) char *shown = NULL;
	char age[CLOCK_TEXT_MAX], time[CLOCK_TEXT_MAX], id[ID_LEN + 1];
	char size[SIZE_TEXT_MAX];
	int r;

	if (list_quiet(list, row->id.hex))
		return 0;
	r = size_of(search, row, size, err);
	if (r < 0)
		return r;
	command = image_config_command(row->config);
	status = status_of(row, state);
	shown = !o->list.no_trunc && strlen(command) > COMMAND_MAX
			? mem_printf("\"%.*s...\"", COMMAND_MAX - 3, command)
			: mem_printf("\"%s\"", command);
	(void)list_id(list, row->id.hex, id);
	(void)clock_age(row->created_ns, age);
	(void)clock_rfc3339(row->created_ns, time);
	list_add(list,
		 (const char *const[]){ id, row->image_name, shown, age, status,
					row->name, size },
		 json_pack("{ss ss ss ss ss ss ss sI ss ss ss so}", "Id",
			   row->id.hex, "ID", id, "Names", row->name, "Image",
			   row->image_name, "Command", command, "State", state,
			   "Status", status, "Pid",
			   (json_int_t)container_pid(list->store, row),
			   "Created", time, "RunningFor", age, "Size", size,
			   "Labels", labels_of(row)));
	return 0;
}

static int look(void *self, const struct container_row *row,
		struct img_err *err)
{
	struct search *search = self;
	const char *state;
	int r;

	if (search->left == 0)
		return 1;
	r = container_state(search->list->store, row, &state, err);
	if (r < 0 || (!search->all && !is_up(state)))
		return r < 0 ? r : 0;
	r = ps_filter_match(search->filters, search->list->store, row, state,
			    err);
	if (r <= 0)
		return r;
	search->left--;
	return add(search, row, state, err);
}

static int fill(struct list *list, struct img_err *err)
{
	const struct options *o = list->values;
	img_auto(ps_filter_free) struct ps_filter *filters = NULL;
	img_auto(account_close) struct account *account = NULL;
	struct search search = { .list = list, .left = UINT64_MAX };
	int r = ps_filter_read(list->store, &o->filter, &filters, err);

	if (o->last || o->latest)
		search.left = o->latest ? 1 : o->last;
	if (r == 0 && o->size)
		r = account_open(list->store, &account, err);
	if (r < 0)
		return r;
	search.filters = filters;
	search.account = account;
	search.all =
		o->all || o->last || o->latest || ps_filter_wants_all(filters);
	r = container_each(list->store, look, &search, err);
	return r < 0 ? r : 0;
}

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	static const struct list_kind kind = {
		.columns = 6,
		.heading = { "CONTAINER ID", "IMAGE", "COMMAND", "CREATED",
			     "STATUS", "NAMES" },
		.fill = fill,
	};
	static const struct list_kind with_size = {
		.columns = 7,
		.heading = { "CONTAINER ID", "IMAGE", "COMMAND", "CREATED",
			     "STATUS", "NAMES", "SIZE" },
		.fill = fill,
	};
	const struct options *o = values;

	return list_run(cli, o->size ? &with_size : &kind, &o->list, o, NULL,
			err);
}

const struct verb verb_ps = {
	.name = "ps",
	.arguments = "",
	.summary = "List containers",
	.options = VERB_OPTIONS(rows),
	.values_size = sizeof(struct options),
	.run = run,
};
