#include "base/cleanup.h"
#include "cli/container_process.h"
#include "cli/each.h"
#include "image/config.h"
#include "runtime/signals.h"

#include <signal.h>

#define GRACE_S 10

struct options {
	const char *signal, *time;
	int sig, grace_s;
};

static const struct option_row rows[] = {
	{ 's', "signal", "SIGNAL", "ask with this one [the image's, or TERM]",
	  OPTION_TEXT, offsetof(struct options, signal) },
	{ 't', "time", "SECONDS", "kill it after so long, -1: never [10]",
	  OPTION_TEXT, offsetof(struct options, time) },
};

/* What the image asks for; TERM if that is none. */
static int own_signal(const struct container_row *row)
{
	img_auto(json_release) json_t *config = NULL;
	struct img_err dropped = { 0 };
	const char *name = NULL;
	int sig = 0;

	if (image_config_parse(row->config, &config, &dropped) == 0)
		name = image_config_string(config, "StopSignal");
	if (name)
		sig = signals_parse(name);
	return sig ? sig : SIGTERM;
}

static int stop(struct store *store, const struct container_row *row,
		const struct options *o, struct img_err *err)
{
	int r = container_process_signal(
		store, row, o->sig ? o->sig : own_signal(row), err);

	if (r > 0)
		r = container_process_wait(
			store, row, o->grace_s < 0 ? -1 : o->grace_s * 1000,
			err);
	return r > 0 ? container_process_kill(store, row, err) : r;
}

static int stop_one(const struct each *each, const char *ref,
		    struct img_err *err)
{
	img_auto(container_row_release) struct container_row row = { 0 };
	int r = container_find(each->store, ref, &row, err);

	if (r == 0)
		r = stop(each->store, &row, each->values, err);
	if (r == 0)
		(void)printf("%s\n", ref);
	return r;
}

static int read_options(struct options *o, struct img_err *err)
{
	char *end;
	long seconds;

	o->grace_s = GRACE_S;
	if (o->signal && (o->sig = signals_parse(o->signal)) == 0)
		return img_err_set(err, IMG_E_INPUT, 0, "'%s' is not a signal",
				   o->signal);
	if (!o->time)
		return 0;
	seconds = strtol(o->time, &end, 10);
	if (end == o->time || *end || seconds < -1 || seconds > 1000000)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "--time '%s' is not a number of seconds",
				   o->time);
	o->grace_s = (int)seconds;
	return 0;
}

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	struct each each = { .values = values,
			     .doing = "stop",
			     .fn = stop_one };
	int r = read_options(values, err);

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
