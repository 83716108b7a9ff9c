#include "base/cleanup.h"
#include "base/str.h"
#include "cli/clock.h"
#include "cli/container.h"
#include "cli/table.h"
#include "cli/verb.h"
#include "image/config.h"

#include <string.h>

struct options {
	const char *format;
	bool all, quiet, no_trunc;
};

static const struct option_row rows[] = {
	{ 'a', "all", NULL, "show stopped containers too", OPTION_FLAG,
	  offsetof(struct options, all) },
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
	struct table table;
	json_t *json;
};

static char *command_of(const struct container_row *row)
{
	img_auto(json_release) json_t *config =
		json_loads(row->config, 0, NULL);
	static const char *const keys[] = { "Entrypoint", "Cmd" };
	struct str line = { 0 };

	str_add(&line, "");
	for (size_t k = 0; k < IMG_COUNT(keys); k++) {
		char **words = image_config_strings(config, keys[k]);

		for (size_t i = 0; words[i]; i++)
			str_addf(&line, "%s%s", line.len ? " " : "", words[i]);
		image_config_strings_free(&words);
	}
	return str_take(&line);
}

static char *status_of(const struct container_row *row, const char *state)
{
	char age[CLOCK_TEXT_MAX];

	if (strcmp(state, "running") == 0) {
		(void)clock_age(row->started_ns, age);
		age[strlen(age) - strlen(" ago")] = '\0';
		return mem_printf("Up %s", age);
	}
	if (strcmp(state, "created") == 0)
		return mem_strdup("Created");
	return mem_printf("Exited (%d) %s", row->exit_status,
			  clock_age(row->finished_ns, age));
}

static int add(void *self, const struct container_row *row, struct img_err *err)
{
	struct list *list = self;
	img_auto(img_mem_release) char *command = NULL;
	img_auto(img_mem_release) char *status = NULL;
	img_auto(img_mem_release) char *shown = NULL;
	char age[CLOCK_TEXT_MAX], time[CLOCK_TEXT_MAX], id[ID_LEN + 1];
	const char *state;
	int r = container_state(list->store, row, &state, err);

	if (r < 0)
		return r;
	if (!list->o->all && strcmp(state, "running") != 0)
		return 0;
	(void)snprintf(id, sizeof(id), "%.*s",
		       list->o->no_trunc ? ID_LEN : ID_SHORT_LEN, row->id.hex);
	if (list->o->quiet) {
		(void)printf("%s\n", id);
		return 0;
	}
	command = command_of(row);
	status = status_of(row, state);
	shown = !list->o->no_trunc && strlen(command) > 20
			? mem_printf("\"%.17s...\"", command)
			: mem_printf("\"%s\"", command);
	table_add(&list->table,
		  (const char *const[]){ id, row->image_name, shown,
					 clock_age(row->created_ns, age),
					 status, row->name });
	(void)json_array_append_new(
		list->json,
		json_pack("{ss ss ss ss ss ss sI ss}", "Id", row->id.hex,
			  "Names", row->name, "Image", row->image_name,
			  "Command", command, "State", state, "Status", status,
			  "Pid", (json_int_t)container_pid(list->store, row),
			  "Created", clock_rfc3339(row->created_ns, time)));
	return 0;
}

static int fill(const struct cli *cli, struct list *list, struct img_err *err)
{
	img_auto(store_close) struct store *store = NULL;
	struct img_err missing = { 0 };
	int r = cli_open_store(cli, false, &store, &missing);

	if (r == -IMG_E_NOT_FOUND)
		return 0; /* no store, no containers */
	if (r < 0) {
		*err = missing;
		return r;
	}
	list->store = store;
	return container_each(store, add, list, err);
}

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	struct list list = { .o = values };
	bool json;
	int r = format_is_json(list.o->format, &json, err);

	if (r < 0)
		return r;
	table_init(&list.table, 6,
		   (const char *const[]){ "CONTAINER ID", "IMAGE", "COMMAND",
					  "CREATED", "STATUS", "NAMES" });
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

const struct verb verb_ps = {
	.name = "ps",
	.arguments = "",
	.summary = "List containers",
	.options = VERB_OPTIONS(rows),
	.values_size = sizeof(struct options),
	.run = run,
};
