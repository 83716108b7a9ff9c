#include "base/cleanup.h"
#include "cli/each.h"
#include "cli/stop_options.h"

struct options {
	struct stop_options stop;
	struct container_stop how;
};

static const struct option_row rows[] = {
	STOP_ROWS(offsetof(struct options, stop)),
};

static int stop_one(const struct each *each, const char *ref,
		    struct img_err *err)
{
	const struct options *o = each->values;
	img_auto(container_row_release) struct container_row row = { 0 };
	int r = container_find(each->store, ref, &row, err);

	if (r == 0)
		r = container_process_stop(each->store, &row, &o->how, err);
	if (r == 0)
		(void)printf("%s\n", ref);
	return r;
}

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	struct options *o = values;
	struct each each = { .values = o, .doing = "stop", .fn = stop_one };
	int r = stop_options_read(&o->stop, &o->how, err);

	return r < 0 ? r : each_argument(cli, &each, argc, argv, err);
}

const struct verb verb_stop = {
	.name = "stop",
	.arguments = "CONTAINER [CONTAINER...]",
	.summary = "Ask containers to end, and kill those that do not",
	.description =
		"The first process gets the image's STOPSIGNAL or TERM. As any "
		"first process it feels\nonly signals that it has a handler "
		"for; after the time it is killed. One that does not\nrun is "
		"no failure.",
	.options = VERB_OPTIONS(rows),
	.values_size = sizeof(struct options),
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
