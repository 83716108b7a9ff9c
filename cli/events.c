#include "base/cleanup.h"
#include "base/str.h"
#include "cli/clock.h"
#include "cli/event.h"
#include "cli/format.h"
#include "cli/template.h"
#include "cli/verb.h"
#include "image/config.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#define LOOK_MS 500

struct options {
	const char *since, *until, *format;
	struct text_list filter;
};

static const struct option_row rows[] = {
	{ 0, "filter", "NAME=VALUE",
	  "container, event, image, label, type, volume", OPTION_LIST,
	  offsetof(struct options, filter) },
	{ 0, "format", "FORMAT", "json, or a template as {{.Action}}",
	  OPTION_TEXT, offsetof(struct options, format) },
	{ 0, "since", "TIME", "begin with what is not older [now]", OPTION_TEXT,
	  offsetof(struct options, since) },
	{ 0, "until", "TIME", "end then [never]", OPTION_TEXT,
	  offsetof(struct options, until) },
};

struct view {
	const struct options *options;
	int64_t since_ns, until_ns;
};

static int check_filters(const struct text_list *list, struct img_err *err)
{
	static const char *const known[] = {
		"container=", "event=", "image=", "label=", "type=", "volume="
	};

	for (size_t i = 0; i < list->n; i++) {
		size_t k = 0;

		while (k < IMG_COUNT(known) &&
		       strncmp(list->text[i], known[k], strlen(known[k])) != 0)
			k++;
		if (k == IMG_COUNT(known))
			return img_err_set(err, IMG_E_INPUT, 0,
					   "--filter '%s' is none of "
					   "container=, event=, image=, "
					   "label=, type=, volume=",
					   list->text[i]);
	}
	return 0;
}

static int read_options(const struct options *o, struct view *ret,
			struct img_err *err)
{
	int r = check_filters(&o->filter, err);

	ret->options = o;
	ret->since_ns = clock_now_ns();
	ret->until_ns = INT64_MAX;
	if (r == 0)
		r = format_of_objects(o->format, err);
	if (r == 0 && o->since)
		r = clock_parse(o->since, "--since", &ret->since_ns, err);
	if (r == 0 && o->until)
		r = clock_parse(o->until, "--until", &ret->until_ns, err);
	return r;
}

/* "exec_start" is "exec_start: sh -c true", too. */
static bool is_action(const char *action, const char *value)
{
	const size_t len = strlen(value);

	return strncmp(action, value, len) == 0 &&
	       (!action[len] || (len > 0 && action[len] == ':'));
}

/* With or without its tag; an image also by its id. */
static bool is_image(const json_t *event, const char *value)
{
	const json_t *actor = json_object_get(event, "Actor");
	const bool image = strcmp(json_text(event, "Type"), "image") == 0;
	const char *name = json_text(json_object_get(actor, "Attributes"),
				     image ? "name" : "image");
	const size_t len = strlen(value);
	const char *tag = strrchr(name, ':');

	if (image && len >= ID_SHORT_LEN &&
	    strncmp(json_text(actor, "ID"), value, len) == 0)
		return true;
	return strcmp(name, value) == 0 ||
	       (tag && !strchr(tag, '/') && (size_t)(tag - name) == len &&
		strncmp(name, value, len) == 0);
}

static bool matches(const json_t *event, const char *filter)
{
	const json_t *actor = json_object_get(event, "Actor");
	const json_t *with = json_object_get(actor, "Attributes");
	const char *value = strchr(filter, '=') + 1;

	switch (filter[0]) {
	case 'c':
		return strcmp(json_text(with, "name"), value) == 0 ||
		       (*value && strncmp(json_text(actor, "ID"), value,
					  strlen(value)) == 0);
	case 'e':
		return is_action(json_text(event, "Action"), value);
	case 'i':
		return is_image(event, value);
	case 'v':
		return strcmp(json_text(event, "Type"), "volume") == 0 &&
		       strcmp(json_text(actor, "ID"), value) == 0;
	case 't':
		return strcmp(json_text(event, "Type"), value) == 0;
	default: {
		size_t len = strcspn(value, "=");
		img_auto(img_mem_release) char *key =
			mem_printf("%.*s", (int)len, value);

		return json_object_get(with, key) &&
		       (!value[len] ||
			strcmp(json_text(with, key), value + len + 1) == 0);
	}
	}
}

/* Of one kind any, of different kinds all. */
static bool is_wanted(const struct text_list *filters, const json_t *event)
{
	for (size_t i = 0; i < filters->n; i++) {
		bool any = false;

		for (size_t k = 0; k < filters->n; k++)
			if (filters->text[k][0] == filters->text[i][0])
				any |= matches(event, filters->text[k]);
		if (!any)
			return false;
	}
	return true;
}

static int print_line(const json_t *event)
{
	const json_t *actor = json_object_get(event, "Actor");
	const char *key, *separator = "";
	char time[CLOCK_TEXT_MAX];
	json_t *value;

	(void)printf("%s %s %s %s (",
		     clock_rfc3339(json_integer_value(
					   json_object_get(event, "timeNano")),
				   time),
		     json_text(event, "Type"), json_text(event, "Action"),
		     json_text(actor, "ID"));
	json_object_foreach(json_object_get(actor, "Attributes"), key, value)
	{
		(void)printf("%s%s=%s", separator, key,
			     json_string_value(value));
		separator = ", ";
	}
	return printf(")\n") < 0;
}

static int print(const struct view *view, const char *line, size_t n,
		 json_t *event, struct img_err *err)
{
	const char *format = view->options->format;
	img_auto(str_release) struct str out = { 0 };
	int r;

	if (!format)
		return print_line(event);
	if (!template_is(format)) {
		(void)printf("%.*s", (int)n, line);
		return 0;
	}
	r = template_render(format, event, &out, err);
	if (r == 0)
		(void)printf("%s\n", out.s ? out.s : "");
	return r;
}

/* Prints what there is in a file; 1 when the time is over. */
static int copy(FILE *file, const struct view *view, struct img_err *err)
{
	img_auto(img_mem_release) char *line = NULL;
	size_t room = 0;
	ssize_t n;

	while ((n = getline(&line, &room, file)) > 0) {
		img_auto(json_release) json_t *event =
			json_loadb(line, (size_t)n, 0, NULL);
		const int64_t ns =
			json_integer_value(json_object_get(event, "timeNano"));
		int r = 0;

		if (!event || ns < view->since_ns)
			continue;
		if (ns >= view->until_ns)
			return 1;
		if (is_wanted(&view->options->filter, event))
			r = print(view, line, (size_t)n, event, err);
		if (r < 0)
			return r;
	}
	clearerr(file); /* it may grow */
	if (fflush(stdout) != 0)
		return img_err_sys(err, "cannot write to standard output");
	return 0;
}

static bool was_renamed(FILE *file, const char *path)
{
	struct stat mine, there;

	return fstat(fileno(file), &mine) == 0 && stat(path, &there) == 0 &&
	       mine.st_ino != there.st_ino;
}

static int await(int watch, const struct view *view, struct img_err *err)
{
	struct pollfd p = { .fd = watch, .events = POLLIN };
	char events[4096];
	int r = poll(&p, 1, LOOK_MS);

	if (r > 0) /* what it says is only that it is time to look */
		IMG_IGNORE(read(watch, events, sizeof(events)));
	if (r < 0 && errno != EINTR)
		return img_err_sys(err, "cannot follow the events");
	return clock_now_ns() >= view->until_ns;
}

static int follow(const char *path, const struct view *view,
		  struct img_err *err)
{
	img_auto(img_fd_release) int watch = inotify_init1(IN_CLOEXEC);
	img_auto(img_mem_release) char *old = mem_printf("%s.1", path);
	img_auto(img_stdio_release) FILE *file = NULL;
	int r = 0;

	if (watch < 0)
		return img_err_sys(err, "cannot follow the events");
	file = fopen(old, "re");
	for (;;) {
		/* Once more after it was renamed: it may have grown. */
		const bool last = file && was_renamed(file, path);

		if (file)
			r = copy(file, view, err);
		if (r != 0)
			return r;
		if (!file || last) {
			img_stdio_release(&file);
			file = fopen(path, "re");
			if (file) {
				(void)inotify_add_watch(watch, path, IN_MODIFY);
				continue;
			}
		}
		r = await(watch, view, err);
		if (r != 0)
			return r;
	}
}

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	img_auto(img_mem_release) char *path = NULL;
	img_auto(store_close) struct store *store = NULL;
	struct view view;
	int r = read_options(values, &view, err);

	if (r == 0)
		r = cli_open_store(cli, false, &store, err);
	if (r < 0)
		return r;
	path = event_path(store);
	store_close(&store); /* nobody is to wait for one who only looks */
	r = follow(path, &view, err);
	return r < 0 ? r : 0;
}

const struct verb verb_events = {
	.name = "events",
	.arguments = "",
	.summary = "Show what happens to containers, images and volumes",
	.description =
		"From now on, or from --since on, until it is interrupted or "
		"--until. Since the last boot,\nand as far as the journal "
		"reaches back: some thousand events.",
	.options = VERB_OPTIONS(rows),
	.values_size = sizeof(struct options),
	.run = run,
};
