#ifndef IMG_CLI_EVENT_H
#define IMG_CLI_EVENT_H

/*
 * What happened to containers, for `events`: a journal in the run directory to
 * which each command appends a line of JSON, in docker's form.  It is a help
 * for those who watch, not a record: nothing is synced, what cannot be written
 * is left out, and of what is older than the last EVENT_BYTES_MAX or two only
 * that much is kept.
 */
#include "cli/container.h"

#define EVENT_BYTES_MAX ((off_t)1 << 20)

/* "create", "start", "die" (with row->exit_status) and so on. */
void event_write(struct store *store, const char *action,
		 const struct container_row *row);

/* The same with one more attribute. */
void event_write_with(struct store *store, const char *action,
		      const struct container_row *row, const char *key,
		      const char *value);

/* "<run directory>/events"; the caller frees it. */
char *event_path(struct store *store);

#endif
