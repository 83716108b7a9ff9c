#include "base/cleanup.h"
#include "base/str.h"
#include "cli/clock.h"
#include "cli/container.h"
#include "cli/list.h"
#include "image/config.h"

#include <string.h>

/* Longest command that a table shows whole. */
#define COMMAND_MAX 20

struct options {
	struct list_options list;
	bool all;
};

static const struct option_row rows[] = {
	{ 'a', "all", NULL, "show stopped containers too", OPTION_FLAG,
	  offsetof(struct options, all) },
	LIST_OPTION_ROWS(struct options),
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
	return mem_printf("Exited (%d) %s", row->exit_status,
			  clock_age(row->finished_ns, age));
}

static int add(void *self, const struct container_row *row, struct img_err *err)
{
	struct list *list = self;
	const struct options *o = list->values;
	img_auto(img_mem_release) char *command = NULL;
	img_auto(img_mem_release) char *status = NULL;
	img_auto(img_mem_release) char *shown = NULL;
	char age[CLOCK_TEXT_MAX], time[CLOCK_TEXT_MAX], id[ID_LEN + 1];
	const char *state;
	int r = container_state(list->store, row, &state, err);

	if (r < 0)
		return r;
	if (!o->all && !is_up(state))
		return 0;
	if (list_quiet(list, row->id.hex))
		return 0;
	command = image_config_command(row->config);
	status = status_of(row, state);
	shown = !o->list.no_trunc && strlen(command) > COMMAND_MAX
			? mem_printf("\"%.*s...\"", COMMAND_MAX - 3, command)
			: mem_printf("\"%s\"", command);
	list_add(list,
		 (const char *const[]){
			 list_id(list, row->id.hex, id), row->image_name, shown,
			 clock_age(row->created_ns, age), status, row->name },
		 json_pack("{ss ss ss ss ss ss sI ss}", "Id", row->id.hex,
			   "Names", row->name, "Image", row->image_name,
			   "Command", command, "State", state, "Status", status,
			   "Pid", (json_int_t)container_pid(list->store, row),
			   "Created", clock_rfc3339(row->created_ns, time)));
	return 0;
}

static int fill(struct list *list, struct img_err *err)
{
	return container_each(list->store, add, list, err);
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
	const struct options *o = values;

	return list_run(cli, &kind, &o->list, o, NULL, err);
}

const struct verb verb_ps = {
	.name = "ps",
	.arguments = "",
	.summary = "List containers",
	.options = VERB_OPTIONS(rows),
	.values_size = sizeof(struct options),
	.run = run,
};
