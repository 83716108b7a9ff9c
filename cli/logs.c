#include "base/cleanup.h"
#include "base/file.h"
#include "cli/clock.h"
#include "cli/container.h"
#include "cli/verb.h"
#include "image/config.h"
#include "runtime/log_read.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/inotify.h>

/* How soon the end of a container is noticed. */
#define LOOK_MS 100

struct options {
	bool follow, timestamps;
	const char *tail, *since, *until;
};

static const struct option_row rows[] = {
	{ 'f', "follow", NULL, "go on until the container ends", OPTION_FLAG,
	  offsetof(struct options, follow) },
	{ 0, "since", "TIME",
	  "only what is not older: 2026-01-31T12:00:00Z, seconds since 1970, "
	  "or how long ago, as 1h30m",
	  OPTION_TEXT, offsetof(struct options, since) },
	{ 'n', "tail", "LINES", "only the last ones, or \"all\" [all]",
	  OPTION_TEXT, offsetof(struct options, tail) },
	{ 't', "timestamps", NULL, "begin each line with its time", OPTION_FLAG,
	  offsetof(struct options, timestamps) },
	{ 0, "until", "TIME", "only what is older", OPTION_TEXT,
	  offsetof(struct options, until) },
};

/* What of a log is printed. */
struct view {
	int64_t since_ns, until_ns;
	uint64_t lines;
	bool timestamps;
	bool middle[2]; /* of a line, on that stream */
};

static int read_tail(const char *text, uint64_t *ret, struct img_err *err)
{
	char *end;

	*ret = UINT64_MAX;
	if (!text || strcmp(text, "all") == 0)
		return 0;
	*ret = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "--tail '%s' is not a number of lines",
				   text);
	return 0;
}

static int read_options(const struct options *o, struct view *ret,
			struct img_err *err)
{
	int r = read_tail(o->tail, &ret->lines, err);

	ret->timestamps = o->timestamps;
	ret->since_ns = INT64_MIN;
	ret->until_ns = INT64_MAX;
	if (r == 0 && o->since)
		r = clock_parse(o->since, "--since", &ret->since_ns, err);
	if (r == 0 && o->until)
		r = clock_parse(o->until, "--until", &ret->until_ns, err);
	return r;
}

static int print(struct view *view, const struct log_entry *entry,
		 struct img_err *err)
{
	FILE *out = entry->stream == LOG_STDERR ? stderr : stdout;
	bool *middle = &view->middle[entry->stream];

	if (view->timestamps && !*middle)
		(void)fprintf(out, "%s ", entry->time);
	*middle = entry->n == 0 || entry->text[entry->n - 1] != '\n';
	if (fwrite(entry->text, 1, entry->n, out) != entry->n && out == stdout)
		return img_err_sys(err, "cannot write to standard output");
	return 0;
}

/* All that there is: 1 when what comes is not wanted any more. */
static int copy(struct log_reader *reader, struct view *view,
		struct img_err *err)
{
	struct log_entry entry;
	int r;

	while ((r = log_reader_next(reader, &entry, err)) > 0) {
		if (entry.time_ns >= view->until_ns)
			return 1;
		if (entry.time_ns < view->since_ns)
			continue;
		r = print(view, &entry, err);
		if (r < 0)
			return r;
	}
	if (r == 0 && fflush(stdout) != 0)
		return img_err_sys(err, "cannot write to standard output");
	return r;
}

/* Sleeps until the log may have grown. */
static int await_growth(int watch, struct img_err *err)
{
	struct pollfd p = { .fd = watch, .events = POLLIN };
	char events[4096];
	int r = poll(&p, 1, LOOK_MS);

	if (r > 0) /* what it says is only that it is time to look */
		IMG_IGNORE(read(watch, events, sizeof(events)));
	if (r < 0 && errno == EINTR)
		return img_err_set(err, IMG_E_INTERRUPTED, 0, "interrupted");
	return r < 0 ? img_err_sys(err, "cannot follow the log") : 0;
}

static int follow(struct store *store, const struct container_row *row,
		  char *path, struct log_reader *reader, struct view *view,
		  struct img_err *err)
{
	img_auto(img_fd_release) int watch = inotify_init1(IN_CLOEXEC);
	int running, r;

	/* Its directory: the file itself is renamed and begun anew. */
	*strrchr(path, '/') = '\0';
	if (watch < 0)
		return img_err_sys(err, "cannot follow the log");
	if (inotify_add_watch(watch, path, IN_MODIFY | IN_CREATE) < 0 &&
	    errno != ENOENT) /* it keeps none */
		return img_err_sys(err, "cannot follow the log in %s", path);
	do {
		/* In this order: what it said last is still copied. */
		running = container_is_running(store, row, err);
		r = running < 0 ? running : copy(reader, view, err);
		if (r == 0 && clock_now_ns() >= view->until_ns)
			r = 1;
		if (r == 0 && running)
			r = await_growth(watch, err);
	} while (r == 0 && running);
	return r < 0 ? r : 0;
}

static int check_kept(const struct container_row *row, struct img_err *err)
{
	img_auto(json_release) json_t *config = NULL;
	struct log_limits limits;
	bool kept = true;
	int r = image_config_parse(row->config, &config, err);

	if (r == 0)
		r = container_log_limits(config, &kept, &limits, err);
	if (r == 0 && !kept)
		return img_err_set(err, IMG_E_NOT_FOUND, 0,
				   "%s keeps no log: its log driver is none",
				   row->name);
	return r;
}

/* It is no failure: nothing is what docker prints of one that was silent. */
static void note_missing(const struct container_row *row, const char *path)
{
	if (row->started_ns && access(path, F_OK) != 0)
		(void)fprintf(stderr,
			      "img: %s has no log: it ran in the foreground, "
			      "and a log is kept of what runs in the "
			      "background ('img run -d')\n",
			      row->name);
}

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	const struct options *o = values;
	img_auto(store_close) struct store *store = NULL;
	img_auto(container_row_release) struct container_row row = { 0 };
	img_auto(log_reader_close) struct log_reader *reader = NULL;
	img_auto(img_mem_release) char *path = NULL;
	struct view view = { 0 };
	int r = read_options(o, &view, err);

	if (r == 0)
		r = cli_open_container(cli, argv[0], &store, &row, err);
	if (r == 0)
		r = check_kept(&row, err);
	if (r < 0)
		return r;
	path = container_log_path(store, &row);
	note_missing(&row, path);
	r = log_reader_open(path, &reader, err);
	if (r == 0 && view.lines != UINT64_MAX)
		r = log_reader_tail(reader, view.lines, err);
	if (r < 0)
		return r;
	r = o->follow ? follow(store, &row, path, reader, &view, err)
		      : copy(reader, &view, err);
	return r < 0 ? r : 0;
}

const struct verb verb_logs = {
	.name = "logs",
	.arguments = "CONTAINER",
	.summary = "Print what a container said in the background",
	.description =
		"What it wrote to its standard output and error, to the same of "
		"this command, from all\nits runs in the background, as far as "
		"its log reaches back (run --log-opt).",
	.options = VERB_OPTIONS(rows),
	.values_size = sizeof(struct options),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
