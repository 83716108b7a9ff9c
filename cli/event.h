#ifndef IMG_CLI_EVENT_H
#define IMG_CLI_EVENT_H

/*
 * What happened to containers, images and volumes, for `events`: a journal in
 * the run directory to which each command appends a line of JSON, in docker's
 * form.  It is a help for those who watch, not a record: nothing is synced,
 * what cannot be written is left out, and of what is older than the last
 * EVENT_BYTES_MAX or two only that much is kept.
 */
#include "cli/container.h"
#include "image/image.h"

#include <jansson.h>

#define EVENT_BYTES_MAX ((off_t)1 << 20)

/* "create", "start", "die" (with row->exit_status) and so on. */
void event_write(struct store *store, const char *action,
		 const struct container_row *row);

/* The same with one more attribute. */
void event_write_with(struct store *store, const char *action,
		      const struct container_row *row, const char *key,
		      const char *value);

/* The two events at the start of a command in a container that runs, and the
 * one at its end. */
struct event_exec {
	struct id id; /* made up for it */
	char *const *argv;
	json_t *labels; /* borrowed: the container's, or NULL */
};
void event_write_exec_start(struct store *store,
			    const struct container_row *row,
			    const struct event_exec *exec);
void event_write_exec_die(struct store *store, const struct container_row *row,
			  const struct event_exec *exec, int status);

/**
 * event_write_image - "import", "create", "tag", "untag", "delete", "save"
 * @name: which it is about, or NULL: the image itself
 * @config: its configuration, for its labels; or NULL
 */
void event_write_image(struct store *store, const char *action,
		       const struct id *id, const struct image_name *name,
		       const char *config);

/* "create", "destroy"; "mount" and "unmount" for @row, else NULL. */
void event_write_volume(struct store *store, const char *action,
			const char *name, const struct container_row *row);

/* "<run directory>/events"; the caller frees it. */
char *event_path(struct store *store);

#endif
