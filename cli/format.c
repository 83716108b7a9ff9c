#include "cli/format.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "cli/table.h"
#include "cli/template.h"

#include <string.h>

#define TABLE_WORD "table "

static bool is(const char *format, const char *word)
{
	return strcmp(format, word) == 0;
}

static int wrong(const char *format, const char *words, struct img_err *err)
{
	return img_err_set(err, IMG_E_INPUT, 0,
			   "--format is %s or a template as '{{json .}}', "
			   "not '%s'",
			   words, format);
}

int format_of_list(const char *format, enum format_kind *ret,
		   struct img_err *err)
{
	*ret = FORMAT_TABLE;
	if (!format || is(format, "table"))
		return 0;
	*ret = is(format, "json") ? FORMAT_JSON : FORMAT_TEMPLATE;
	return *ret == FORMAT_JSON || template_is(format)
		       ? 0
		       : wrong(format, "table, json", err);
}

int format_of_objects(const char *format, struct img_err *err)
{
	return !format || is(format, "json") || template_is(format)
		       ? 0
		       : wrong(format, "json", err);
}

int format_is_json(const char *format, bool *ret, struct img_err *err)
{
	*ret = format && is(format, "json");
	if (!format || *ret || is(format, "table"))
		return 0;
	return img_err_set(
		err, IMG_E_INPUT, 0, "--format is table or json%s, not '%s'",
		template_is(format) ? " here: this has no templates" : "",
		format);
}

void format_print_json(json_t *json)
{
	(void)json_dumpf(json, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
	(void)putchar('\n');
	json_decref(json);
}

/* Missing cells are empty. */
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

static int begin_table(struct table *table, const char *format,
		       struct img_err *err)
{
	const char *cells[TABLE_COLUMNS_MAX];
	img_auto(str_release) struct str line = { 0 };
	int r = template_heading(format, &line, err);
	size_t n;

	if (r < 0)
		return r;
	n = cut(line.s, cells);
	table_init(table, n, cells);
	return 0;
}

/* @table: NULL where lines are only lines. */
static int add_line(struct table *table, const char *format, json_t *object,
		    struct img_err *err)
{
	const char *cells[TABLE_COLUMNS_MAX];
	img_auto(str_release) struct str line = { 0 };
	int r = template_render(format, object, &line, err);

	if (r < 0)
		return r;
	if (!table) {
		(void)printf("%s\n", line.s ? line.s : "");
		return 0;
	}
	(void)cut(line.s, cells);
	table_add(table, cells);
	return 0;
}

int format_print_template(json_t *list, const char *format, struct img_err *err)
{
	const bool aligned =
		strncmp(format, TABLE_WORD, strlen(TABLE_WORD)) == 0;
	img_auto(table_release) struct table table = { 0 };
	json_t *object;
	size_t i;
	int r = 0;

	if (aligned) {
		format += strlen(TABLE_WORD);
		r = begin_table(&table, format, err);
	}
	json_array_foreach(list, i, object)
	{
		if (r == 0)
			r = add_line(aligned ? &table : NULL, format, object,
				     err);
	}
	if (r == 0 && aligned)
		table_print(&table, false);
	return r;
}

int format_print_objects(json_t *list, const char *format, struct img_err *err)
{
	if (template_is(format))
		return format_print_template(list, format, err);
	format_print_json(json_incref(list));
	return 0;
}
