#include "cli/life.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "cli/run_log.h"
#include "image/config.h"
#include "runtime/signals.h"

#include <ctype.h>
#include <fcntl.h>
#include <string.h>

#define FILE_MAX_BYTES ((size_t)1 << 20)
#define SECONDS_MAX    1000000

int life_parse_seconds(const char *text, const char *option, int *ret,
		       struct img_err *err)
{
	char *end;
	long seconds = strtol(text, &end, 10);

	if (end == text || *end || seconds < -1 || seconds > SECONDS_MAX)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "%s '%s' is not a number of seconds", option,
				   text);
	*ret = (int)seconds;
	return 0;
}

/* Calls @fn with each line that is neither empty nor a comment. */
static int each_line(const char *path,
		     int (*fn)(void *self, const char *line,
			       struct img_err *err),
		     void *self, struct img_err *err)
{
	img_auto(img_mem_release) char *text = NULL;
	char *rest, *line;
	int r = file_read_all(AT_FDCWD, path, FILE_MAX_BYTES, &text, NULL, err);

	rest = text;
	while (r == 0 && (line = strsep(&rest, "\n")) != NULL) {
		size_t len = strlen(line);

		if (len > 0 && line[len - 1] == '\r')
			line[len - 1] = '\0';
		while (isspace((unsigned char)*line))
			line++;
		if (*line && *line != '#')
			r = fn(self, line, err);
	}
	return r;
}

static int add_variable(void *env, const char *line, struct img_err *err)
{
	img_auto(img_mem_release) char *entry = NULL;
	size_t len = strcspn(line, "=");

	if (len == 0 || strcspn(line, " \t") < len)
		return img_err_set(err, IMG_E_INPUT, 0, "'%s' is no NAME=VALUE",
				   line);
	if (!line[len]) {
		const char *here = getenv(line);

		if (!here)
			return 0;
		entry = mem_printf("%s=%s", line, here);
		line = entry;
	}
	if (json_array_append_new(env, json_string(line)) < 0)
		return img_err_set(err, IMG_E_INPUT, 0, "it is not UTF-8");
	return 0;
}

int life_put_env_files(json_t *env, const struct text_list *files,
		       struct img_err *err)
{
	for (size_t i = 0; i < files->n; i++)
		if (each_line(files->text[i], add_variable, env, err) < 0)
			return img_err_prefix(err, "--env-file %s",
					      files->text[i]);
	return 0;
}

static int add_label(void *labels, const char *text, struct img_err *err)
{
	size_t len = strcspn(text, "=");
	img_auto(img_mem_release) char *name =
		mem_printf("%.*s", (int)len, text);

	if (len == 0)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "label '%s' has no name", text);
	if (json_object_set_new(labels, name,
				json_string(text[len] ? text + len + 1 : "")) <
	    0)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "label '%s' is not UTF-8", text);
	return 0;
}

/* The image's stay, unless others of the same name come. */
static int put_labels(json_t *config, const struct life_options *o,
		      struct img_err *err)
{
	json_t *labels = json_object_get(config, "Labels");

	if (!json_is_object(labels)) {
		labels = json_object();
		(void)json_object_set_new(config, "Labels", labels);
	}
	for (size_t i = 0; i < o->label_files.n; i++)
		if (each_line(o->label_files.text[i], add_label, labels, err) <
		    0)
			return img_err_prefix(err, "--label-file %s",
					      o->label_files.text[i]);
	for (size_t i = 0; i < o->labels.n; i++) {
		int r = add_label(labels, o->labels.text[i], err);

		if (r < 0)
			return r;
	}
	if (json_object_size(labels) == 0)
		(void)json_object_del(config, "Labels");
	return 0;
}

static int put_stop(json_t *config, const struct life_options *o,
		    struct img_err *err)
{
	int seconds, r;

	if (o->stop_signal && signals_parse(o->stop_signal) == 0)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "--stop-signal '%s' is not a signal",
				   o->stop_signal);
	if (o->stop_signal)
		(void)json_object_set_new(config, "StopSignal",
					  json_string(o->stop_signal));
	if (!o->stop_timeout)
		return 0;
	r = life_parse_seconds(o->stop_timeout, "--stop-timeout", &seconds,
			       err);
	if (r == 0)
		(void)json_object_set_new(config, "StopTimeout",
					  json_integer(seconds));
	return r;
}

static int put_attach(json_t *config, const struct text_list *list,
		      struct img_err *err)
{
	static const char *const names[] = { "stdin", "stdout", "stderr" };
	static const char *const keys[] = { "AttachStdin", "AttachStdout",
					    "AttachStderr" };
	bool wanted[IMG_COUNT(names)] = { false };

	if (list->n == 0)
		return 0;
	for (size_t i = 0; i < list->n; i++) {
		size_t k = 0;

		while (k < IMG_COUNT(names) &&
		       strcasecmp(list->text[i], names[k]) != 0)
			k++;
		if (k == IMG_COUNT(names))
			return img_err_set(err, IMG_E_INPUT, 0,
					   "--attach is stdin, stdout or "
					   "stderr, not '%s'",
					   list->text[i]);
		wanted[k] = true;
	}
	for (size_t k = 0; k < IMG_COUNT(names); k++)
		(void)json_object_set_new(config, keys[k],
					  json_boolean(wanted[k]));
	return 0;
}

int life_put(json_t *config, const struct life_options *o, struct img_err *err)
{
	json_t *host = json_object_get(config, "HostConfig");
	int r = put_labels(config, o, err);

	if (r == 0)
		r = put_stop(config, o, err);
	if (r == 0)
		r = put_attach(config, &o->attach, err);
	if (r == 0)
		r = run_log_put(config, o->log_driver, &o->log_options, err);
	if (r == 0 && o->restart && strcmp(o->restart, "no") != 0)
		r = img_err_set(err, IMG_E_INPUT, 0,
				"--restart '%s' wants a daemon, and there is "
				"none: let the system's own, as a unit of "
				"systemd, run 'img start -a NAME'",
				o->restart);
	(void)json_object_set_new(host, "Init", json_boolean(o->init));
	(void)json_object_set_new(host, "RestartPolicy",
				  json_pack("{ss si}", "Name", "no",
					    "MaximumRetryCount", 0));
	return r;
}

int life_write_id(const char *path, const char *id, struct img_err *err)
{
	img_auto(img_fd_release) int fd =
		open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (fd < 0 && errno == EEXIST)
		return img_err_set(err, IMG_E_EXISTS, 0,
				   "--cidfile %s is there already: another "
				   "container may be named in it",
				   path);
	if (fd < 0)
		return img_err_sys(err, "cannot make --cidfile %s", path);
	return file_write(fd, id, strlen(id), "the --cidfile", err);
}
