#include "cli/event.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "cli/clock.h"
#include "image/config.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

char *event_path(struct store *store)
{
	return mem_printf("%s/events", store_run(store));
}

/* Of several that find it full, one renames it. */
static void turn_over(const char *path, int fd)
{
	img_auto(img_mem_release) char *old = mem_printf("%s.1", path);
	struct stat mine, there;

	if (fstat(fd, &mine) != 0 || mine.st_size < EVENT_BYTES_MAX ||
	    flock(fd, LOCK_EX | LOCK_NB) != 0)
		return;
	if (stat(path, &there) == 0 && there.st_ino == mine.st_ino)
		(void)rename(path, old); /* else it grows on */
}

/* Whole lines in one call: others append as well. */
static void append(struct store *store, const struct str *lines)
{
	img_auto(img_mem_release) char *path = event_path(store);
	img_auto(img_fd_release) int fd = -1;

	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC,
		  0600);
	if (fd < 0 || !lines->s)
		return;
	IMG_IGNORE(write(fd, lines->s, lines->len));
	turn_over(path, fd);
}

/* One line more; what cannot be said in JSON is left out. */
static void add_line(struct str *lines, const char *type, const char *action,
		     const char *id, json_t *attributes)
{
	const int64_t now = clock_now_ns();
	img_auto(json_release) json_t *event =
		json_pack("{ss ss s{ss sO} ss sI sI}", "Type", type, "Action",
			  action, "Actor", "ID", id, "Attributes", attributes,
			  "scope", "local", "time",
			  (json_int_t)(now / 1000000000), "timeNano",
			  (json_int_t)now);
	img_auto(img_mem_release) char *text = NULL;

	if (event)
		text = json_dumps(event, JSON_COMPACT | JSON_SORT_KEYS);
	if (text)
		str_addf(lines, "%s\n", text);
}

/* A new object: the labels, and what docker adds. */
static json_t *container_attributes(const struct container_row *row,
				    json_t *labels)
{
	json_t *attributes = labels ? json_copy(labels) : json_object();

	(void)json_object_set_new(attributes, "image",
				  json_string(row->image_name));
	(void)json_object_set_new(attributes, "name", json_string(row->name));
	return attributes;
}

/* A copy of what a configuration has, or NULL. */
static json_t *labels_of(const char *config)
{
	img_auto(json_release) json_t *json = NULL;
	struct img_err none = { 0 };

	/* Most have none, and are not worth reading for that. */
	if (!config || !strstr(config, "\"Labels\"") ||
	    image_config_parse(config, &json, &none) < 0)
		return NULL;
	return json_incref(json_object_get(json, "Labels"));
}

/* @more: attributes, taken over; or NULL. */
static void write_container(struct store *store, const char *action,
			    const struct container_row *row, json_t *more)
{
	img_auto(json_release) json_t *labels = labels_of(row->config);
	img_auto(json_release) json_t *attributes =
		container_attributes(row, labels);
	img_auto(str_release) struct str lines = { 0 };

	if (more)
		(void)json_object_update(attributes, more);
	json_decref(more);
	add_line(&lines, "container", action, row->id.hex, attributes);
	append(store, &lines);
}

void event_write_with(struct store *store, const char *action,
		      const struct container_row *row, const char *key,
		      const char *value)
{
	write_container(store, action, row, json_pack("{ss}", key, value));
}

void event_write(struct store *store, const char *action,
		 const struct container_row *row)
{
	write_container(store, action, row, NULL);
}

void event_write_start(struct store *store, const struct container_row *row,
		       bool attached)
{
	img_auto(json_release) json_t *labels = labels_of(row->config);
	img_auto(json_release) json_t *attributes =
		container_attributes(row, labels);
	img_auto(str_release) struct str lines = { 0 };

	if (attached)
		add_line(&lines, "container", "attach", row->id.hex,
			 attributes);
	add_line(&lines, "container", "start", row->id.hex, attributes);
	append(store, &lines);
}

void event_write_die(struct store *store, const struct container_row *row,
		     int status, int64_t started_ns)
{
	img_auto(img_mem_release) char *code = mem_printf("%d", status);
	img_auto(img_mem_release) char *lived = mem_printf(
		"%" PRId64, (clock_now_ns() - started_ns) / 1000000000);

	write_container(store, "die", row,
			json_pack("{ss ss}", "exitCode", code, "execDuration",
				  lived));
}

void event_write_exec_start(struct store *store,
			    const struct container_row *row,
			    const struct event_exec *exec)
{
	static const char *const actions[] = { "exec_create", "exec_start" };
	img_auto(json_release) json_t *attributes =
		container_attributes(row, exec->labels);
	img_auto(str_release) struct str lines = { 0 };

	(void)json_object_set_new(attributes, "execID",
				  json_string(exec->id.hex));
	for (size_t i = 0; i < IMG_COUNT(actions); i++) {
		img_auto(str_release) struct str action = { 0 };

		str_addf(&action, "%s:", actions[i]);
		for (char *const *word = exec->argv; *word; word++)
			str_addf(&action, " %s", *word);
		add_line(&lines, "container", action.s, row->id.hex,
			 attributes);
	}
	append(store, &lines);
}

void event_write_exec_die(struct store *store, const struct container_row *row,
			  const struct event_exec *exec, int status)
{
	img_auto(json_release) json_t *attributes =
		container_attributes(row, exec->labels);
	img_auto(str_release) struct str lines = { 0 };
	char code[12];

	(void)snprintf(code, sizeof(code), "%d", status);
	(void)json_object_set_new(attributes, "execID",
				  json_string(exec->id.hex));
	(void)json_object_set_new(attributes, "exitCode", json_string(code));
	add_line(&lines, "container", "exec_die", row->id.hex, attributes);
	append(store, &lines);
}

void event_write_image(struct store *store, const char *action,
		       const struct id *id, const struct image_name *name,
		       const char *config)
{
	img_auto(json_release) json_t *labels = labels_of(config);
	img_auto(json_release) json_t *attributes =
		labels ? json_copy(labels) : json_object();
	img_auto(str_release) struct str lines = { 0 };
	img_auto(img_mem_release) char *text =
		name ? mem_printf("%s:%s", name->name, name->tag)
		     : mem_strdup(id->hex);

	(void)json_object_set_new(attributes, "name", json_string(text));
	add_line(&lines, "image", action, id->hex, attributes);
	append(store, &lines);
}

void event_write_volume(struct store *store, const char *action,
			const char *name, const struct container_row *row)
{
	img_auto(json_release) json_t *attributes =
		json_pack("{ss}", "driver", "local");
	img_auto(str_release) struct str lines = { 0 };

	if (row)
		(void)json_object_set_new(attributes, "container",
					  json_string(row->id.hex));
	add_line(&lines, "volume", action, name, attributes);
	append(store, &lines);
}

void event_write_mount(struct store *store, const char *name,
		       const struct container_row *row, const char *target,
		       bool read_only)
{
	img_auto(json_release) json_t *attributes =
		json_pack("{ss ss ss ss ss}", "container", row->id.hex,
			  "destination", target, "driver", "local",
			  "propagation", "", "read/write",
			  read_only ? "false" : "true");
	img_auto(str_release) struct str lines = { 0 };

	add_line(&lines, "volume", "mount", name, attributes);
	append(store, &lines);
}

void event_write_prune(struct store *store, const char *type, uint64_t bytes)
{
	img_auto(img_mem_release) char *text = mem_printf("%" PRIu64, bytes);
	img_auto(json_release) json_t *attributes =
		json_pack("{ss}", "reclaimed", text);
	img_auto(str_release) struct str lines = { 0 };

	add_line(&lines, type, "prune", "", attributes);
	append(store, &lines);
}
