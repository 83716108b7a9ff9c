#include "cli/list.h"

#include "base/cleanup.h"
#include "cli/format.h"

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

/* Docker's templates have an .ID, as long as the table has it. */
static int print_template(const struct list *list, struct img_err *err)
{
	json_t *object;
	size_t i;

	json_array_foreach(list->json, i, object)
	{
		const char *id =
			json_string_value(json_object_get(object, "Id"));
		char shown[ID_LEN + 1];

		if (id)
			(void)json_object_set_new(
				object, "ID",
				json_string(list_id(list, id, shown)));
	}
	return format_print_template(list->json, list->options->format, err);
}

int list_run(const struct cli *cli, const struct list_kind *kind,
	     const struct list_options *options, const void *values,
	     const char *ref, struct img_err *err)
{
	struct list list = { .options = options, .values = values, .ref = ref };
	enum format_kind format;
	int r = format_of_list(options->format, &format, err);

	if (r < 0)
		return r;
	table_init(&list.table, kind->columns, kind->heading);
	list.json = json_array();
	r = fill(cli, kind, &list, err);
	if (r == 0 && format == FORMAT_JSON)
		format_print_json(json_incref(list.json));
	else if (r == 0 && format == FORMAT_TEMPLATE && !options->quiet)
		r = print_template(&list, err);
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
