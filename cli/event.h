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

/* "create", "stop", "rename" and so on. */
void event_write(struct store *store, const char *action,
		 const struct container_row *row);

/* The same with one more attribute. */
void event_write_with(struct store *store, const char *action,
		      const struct container_row *row, const char *key,
		      const char *value);

/* "start", and before it "attach" where somebody has its streams at once. */
void event_write_start(struct store *store, const struct container_row *row,
		       bool attached);
/* "die", with the status and the seconds since @started_ns. */
void event_write_die(struct store *store, const struct container_row *row,
		     int status, int64_t started_ns);

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

/* "create", "destroy"; "unmount" for @row, else NULL. */
void event_write_volume(struct store *store, const char *action,
			const char *name, const struct container_row *row);

/* "mount", for a container that has it at @target. */
void event_write_mount(struct store *store, const char *name,
		       const struct container_row *row, const char *target,
		       bool read_only);

/* "prune" of all that nobody needs of a type, "volume". */
void event_write_prune(struct store *store, const char *type, uint64_t bytes);

/* "<run directory>/events"; the caller frees it. */
char *event_path(struct store *store);

#endif
