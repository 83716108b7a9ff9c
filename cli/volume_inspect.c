#include "base/cleanup.h"
#include "cli/format.h"
#include "cli/verb.h"
#include "cli/volume_view.h"
#include "image/config.h"

struct options {
	const char *format;
};

static const struct option_row rows[] = {
	{ 'f', "format", "FORMAT", "json, or a template as {{.Name}}",
	  OPTION_TEXT, offsetof(struct options, format) },
};

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	const struct options *o = values;
	img_auto(json_release) json_t *list = json_array();
	img_auto(store_close) struct store *store = NULL;
	img_auto(account_close) struct account *account = NULL;
	int r = format_of_objects(o->format, err);

	if (r == 0)
		r = cli_open_store(cli, false, &store, err);
	if (r == 0)
		r = account_open(store, &account, err);
	for (int i = 0; r == 0 && i < argc; i++) {
		img_auto(
			named_volume_release) struct named_volume named = { 0 };
		json_t *one = NULL;

		r = named_volume_find(store, argv[i], &named, err);
		if (r == 0)
			r = volume_view_json(store, &named, account, &one, err);
		if (r == 0)
			(void)json_array_append_new(list, one);
	}
	return r < 0 ? r : format_print_objects(list, o->format, err);
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
