#include "cli/list.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "cli/template.h"

#include <string.h>

static int fill(const struct cli *cli, const struct list_kind *kind,
		struct list *list, struct img_err *err)
{
	img_auto(store_close) struct store *store = NULL;
	struct img_err missing = { 0 };
	int r = cli_open_store(cli, false, &store, &missing);

	if (r == -IMG_E_NOT_FOUND && !kind->needs_store)
		return 0;
	if (r < 0) {
		*err = missing;
		return r;
	}
	list->store = store;
	return kind->fill(list, err);
}

#define TABLE_WORD "table "

/* Cells are what tabs are between; missing ones are empty. */
static size_t cut(char *line, const char *cells[TABLE_COLUMNS_MAX])
{
	size_t n = 0;
	char *cell;

	while (n < TABLE_COLUMNS_MAX && (cell = strsep(&line, "\t")) != NULL)
		cells[n++] = cell;
	for (size_t i = n; i < TABLE_COLUMNS_MAX; i++)
		cells[i] = "";
	return n;
}

static void begin_table(struct table *table, char *line)
{
	const char *cells[TABLE_COLUMNS_MAX];
	size_t n = cut(line, cells);

	table_init(table, n, cells);
}

static void add_cells(struct table *table, char *line)
{
	const char *cells[TABLE_COLUMNS_MAX];

	(void)cut(line, cells);
	table_add(table, cells);
}

static int print_template(const struct list *list, const char *format,
			  struct img_err *err)
{
	const bool aligned =
		strncmp(format, TABLE_WORD, strlen(TABLE_WORD)) == 0;
	img_auto(table_release) struct table table = { 0 };
	json_t *object;
	size_t i;

	if (aligned) {
		img_auto(str_release) struct str line = { 0 };
		int r;

		format += strlen(TABLE_WORD);
		r = template_heading(format, &line, err);
		if (r < 0)
			return r;
		begin_table(&table, line.s);
	}
	json_array_foreach(list->json, i, object)
	{
		img_auto(str_release) struct str line = { 0 };
		int r = template_render(format, object, &line, err);

		if (r < 0)
			return r;
		if (aligned)
			add_cells(&table, line.s);
		else
			(void)printf("%s\n", line.s ? line.s : "");
	}
	if (aligned)
		table_print(&table, false);
	return 0;
}

int list_run(const struct cli *cli, const struct list_kind *kind,
	     const struct list_options *options, const void *values,
	     const char *ref, struct img_err *err)
{
	struct list list = { .options = options, .values = values, .ref = ref };
	const bool template = template_is(options->format);
	bool json = false;
	int r = template ? 0 : format_is_json(options->format, &json, err);

	if (r < 0)
		return r;
	table_init(&list.table, kind->columns, kind->heading);
	list.json = json_array();
	r = fill(cli, kind, &list, err);
	if (r == 0 && json)
		format_print_json(json_incref(list.json));
	else if (r == 0 && template && !options->quiet)
		r = print_template(&list, options->format, err);
	else if (r == 0 && !options->quiet)
		table_print(&list.table, false);
	json_decref(list.json);
	table_release(&list.table);
	return r;
}

bool list_quiet(const struct list *list, const char *id)
{
	char shown[ID_LEN + 1];

	if (list->options->quiet)
		(void)printf("%s\n", list_id(list, id, shown));
	return list->options->quiet;
}

const char *list_id(const struct list *list, const char *id,
		    char out[ID_LEN + 1])
{
	(void)snprintf(out, ID_LEN + 1, "%.*s",
		       list->options->no_trunc ? ID_LEN : ID_SHORT_LEN, id);
	return out;
}

void list_add(struct list *list, const char *const *cells, json_t *json)
{
	table_add(&list->table, cells);
	(void)json_array_append_new(list->json, json);
}
