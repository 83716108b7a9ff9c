#include "base/cleanup.h"
#include "base/str.h"
#include "cli/table.h"
#include "cli/template.h"
#include "cli/verb.h"
#include "cli/volume_view.h"
#include "image/config.h"

#include <stdio.h>

struct options {
	const char *format;
};

static const struct option_row rows[] = {
	{ 'f', "format", "FORMAT", "json, or a template as {{.Name}}",
	  OPTION_TEXT, offsetof(struct options, format) },
};

static int print(json_t *list, const char *format, struct img_err *err)
{
	json_t *one;
	size_t i;

	if (!template_is(format)) {
		format_print_json(json_incref(list));
		return 0;
	}
	json_array_foreach(list, i, one)
	{
		img_auto(str_release) struct str line = { 0 };
		int r = template_render(format, one, &line, err);

		if (r < 0)
			return r;
		(void)printf("%s\n", line.s ? line.s : "");
	}
	return 0;
}

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	const struct options *o = values;
	img_auto(json_release) json_t *list = json_array();
	img_auto(store_close) struct store *store = NULL;
	bool is_json = true;
	int r = 0;

	if (o->format && !template_is(o->format))
		r = format_is_json(o->format, &is_json, err);
	if (r == 0 && !is_json)
		r = img_err_set(err, IMG_E_INPUT, 0,
				"--format is json, or a template");
	if (r == 0)
		r = cli_open_store(cli, false, &store, err);
	for (int i = 0; r == 0 && i < argc; i++) {
		img_auto(
			named_volume_release) struct named_volume named = { 0 };
		json_t *one = NULL;

		r = named_volume_find(store, argv[i], &named, err);
		if (r == 0)
			r = volume_view_json(store, &named, &one, err);
		if (r == 0)
			(void)json_array_append_new(list, one);
	}
	return r < 0 ? r : print(list, o->format ? o->format : "json", err);
}

const struct verb verb_volume_inspect = {
	.name = "volume inspect",
	.arguments = "VOLUME [VOLUME...]",
	.summary = "Show all about volumes, as JSON",
	.options = VERB_OPTIONS(rows),
	.values_size = sizeof(struct options),
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
