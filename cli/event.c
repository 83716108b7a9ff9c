#include "cli/event.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "cli/clock.h"
#include "image/config.h"

#include <fcntl.h>
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

static void append(struct store *store, const json_t *event)
{
	img_auto(img_mem_release) char *path = event_path(store);
	img_auto(img_mem_release) char *text =
		json_dumps(event, JSON_COMPACT | JSON_SORT_KEYS);
	img_auto(img_mem_release) char *line = NULL;
	img_auto(img_fd_release) int fd = -1;

	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC,
		  0600);
	if (fd < 0 || !text)
		return;
	line = mem_printf("%s\n", text);
	/* In one call: others append as well. */
	IMG_IGNORE(write(fd, line, strlen(line)));
	turn_over(path, fd);
}

void event_write_with(struct store *store, const char *action,
		      const struct container_row *row, const char *key,
		      const char *value)
{
	img_auto(json_release) json_t *config = NULL;
	img_auto(json_release) json_t *event = NULL;
	struct img_err none = { 0 };
	const int64_t now = clock_now_ns();
	json_t *attributes = NULL;

	if (image_config_parse(row->config, &config, &none) == 0)
		attributes = json_incref(json_object_get(config, "Labels"));
	if (!attributes)
		attributes = json_object();
	(void)json_object_set_new(attributes, "image",
				  json_string(row->image_name));
	(void)json_object_set_new(attributes, "name", json_string(row->name));
	if (key)
		(void)json_object_set_new(attributes, key, json_string(value));
	event = json_pack("{ss ss s{ss so} ss sI sI}", "Type", "container",
			  "Action", action, "Actor", "ID", row->id.hex,
			  "Attributes", attributes, "scope", "local", "time",
			  (json_int_t)(now / 1000000000), "timeNano",
			  (json_int_t)now);
	if (event)
		append(store, event);
}

void event_write(struct store *store, const char *action,
		 const struct container_row *row)
{
	event_write_with(store, action, row, NULL, NULL);
}
