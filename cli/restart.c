#include "base/cleanup.h"
#include "cli/start.h"
#include "cli/stop_options.h"

struct options {
	struct stop_options stop;
};

static const struct option_row rows[] = {
	STOP_ROWS(offsetof(struct options, stop)),
};

static int stop(const struct cli *cli, const char *ref,
		const struct container_stop *how, struct img_err *err)
{
	img_auto(container_row_release) struct container_row row = { 0 };
	img_auto(store_close) struct store *store = NULL;
	int r = cli_open_store(cli, false, &store, err);

	if (r == 0)
		r = container_find(store, ref, &row, err);
	return r < 0 ? r : container_process_stop(store, &row, how, err);
}

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	const struct options *o = values;
	struct container_stop how;
	int r = stop_options_read(&o->stop, &how, err);

	if (r < 0)
		return r;
	for (int i = 0; i < argc; i++) {
		struct img_err one = { 0 };

		r = stop(cli, argv[i], &how, &one);
		if (r == 0)
			r = start_background(cli, argv[i], NULL, &one);
		if (r == 0) {
			(void)printf("%s\n", argv[i]);
			continue;
		}
		(void)img_err_prefix(&one, "cannot restart %s", argv[i]);
		if (err->code)
			(void)fprintf(stderr, "img: %s\n", err->msg);
		*err = one;
	}
	return -(int)err->code;
}

const struct verb verb_restart = {
	.name = "restart",
	.arguments = "CONTAINER [CONTAINER...]",
	.summary = "Stop containers, and start them again in the background",
	.description = "Those that do not run are started.",
	.options = VERB_OPTIONS(rows),
	.values_size = sizeof(struct options),
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
