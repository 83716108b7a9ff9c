#include "base/cleanup.h"
#include "cli/each.h"
#include "cli/event.h"
#include "cli/start.h"
#include "cli/stop_options.h"

struct options {
	struct stop_options stop;
};

static const struct option_row rows[] = {
	STOP_ROWS(offsetof(struct options, stop)),
};

/* The store is closed again: it is the monitor that opens it next. */
static int stop(const struct cli *cli, const char *ref,
		const struct container_stop *how, struct img_err *err)
{
	img_auto(container_row_release) struct container_row row = { 0 };
	img_auto(store_close) struct store *store = NULL;
	int r = cli_open_container(cli, ref, &store, &row, err);

	return r < 0 ? r : container_process_stop(store, &row, how, err);
}

/* It may have been removed by now: nobody hears of that. */
static void tell(const struct cli *cli, const char *ref)
{
	img_auto(container_row_release) struct container_row row = { 0 };
	img_auto(store_close) struct store *store = NULL;
	struct img_err dropped = { 0 };

	if (cli_open_container(cli, ref, &store, &row, &dropped) == 0)
		event_write(store, "restart", &row);
}

static int restart_one(const struct each *each, const char *ref,
		       struct img_err *err)
{
	int r = stop(each->cli, ref, each->values, err);

	if (r == 0)
		r = start_background(each->cli, ref, NULL, err);
	if (r < 0)
		return r;
	tell(each->cli, ref);
	(void)printf("%s\n", ref);
	return 0;
}

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	const struct options *o = values;
	struct container_stop how;
	struct each each = { .values = &how,
			     .doing = "restart",
			     .fn = restart_one };
	int r = stop_options_read(&o->stop, &how, err);

	return r < 0 ? r : each_name(cli, &each, argc, argv, err);
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
