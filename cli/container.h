#ifndef IMG_CLI_CONTAINER_H
#define IMG_CLI_CONTAINER_H

/*
 * Containers as the catalog has them: a volume, a configuration, a name.
 *
 * Whether one runs is never written down: it runs while a living process, its
 * supervisor, holds its volume.
 */
#include "base/id.h"
#include "runtime/log.h"
#include "runtime/userns.h"
#include "storage/volume.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* What a container's status is when nobody saw its end: as of SIGKILL. */
#define CONTAINER_UNSEEN   137
#define CONTAINER_NAME_MAX 63

struct container_row {
	struct id id;
	char name[CONTAINER_NAME_MAX + 1];
	struct volume volume;
	struct id image;
	char *image_name;			     /* as it was asked for */
	int64_t created_ns, started_ns, finished_ns; /* 0: never */
	int exit_status;			     /* while finished_ns */
	bool oom_killed;			     /* for want of memory */
	bool auto_remove;
	struct userns users; /* as it got them at container_insert */
	char *config;	     /* JSON; see cli/launch.h */
};

void container_row_release(struct container_row *row);

/* Returns 0, or IMG_E_INPUT: a plain name (image/name.h). */
int container_name_check(const char *name, struct img_err *err) IMG_MUST_USE;
/* IMG_E_EXISTS where a container has it. */
int container_name_check_free(struct store *store, const char *name,
			      struct img_err *err) IMG_MUST_USE;
/* IMG_E_EXISTS: it is another's; in the place of what the catalog said. */
int container_name_taken(const char *name, struct img_err *err);
/* Makes up a name that no container has. */
int container_name_invent(struct store *store, char out[CONTAINER_NAME_MAX + 1],
			  struct img_err *err) IMG_MUST_USE;

/* @ref: a name, an id, or a prefix of an id that is unique. */
int container_find(struct store *store, const char *ref,
		   struct container_row *ret, struct img_err *err) IMG_MUST_USE;

/* Newest first. */
int container_each(struct store *store,
		   int (*fn)(void *self, const struct container_row *row,
			     struct img_err *err),
		   void *self, struct img_err *err) IMG_MUST_USE;

/* 1 while its supervisor lives; with --rm until that has removed it. */
int container_is_running(struct store *store, const struct container_row *row,
			 struct img_err *err);
/* "created", "running", "paused" or "exited". */
int container_state(struct store *store, const struct container_row *row,
		    const char **ret, struct img_err *err) IMG_MUST_USE;

/* Within a transaction of the caller's.  A taken name is IMG_E_EXISTS.  Sets
 * @row->users, by its configuration: cli/container_ids.h. */
int container_insert(struct store *store, struct container_row *row,
		     struct img_err *err) IMG_MUST_USE;
int container_set_started(struct store *store, const struct container_row *row,
			  struct img_err *err) IMG_MUST_USE;
int container_set_finished(struct store *store, const struct container_row *row,
			   int exit_status, struct img_err *err) IMG_MUST_USE;
/* Reads again which volume the container has: a rollback may have exchanged it
 * since the row was read.  Within a transaction it stays that.
 * IMG_E_NOT_FOUND where the container was removed. */
int container_reread_volume(struct store *store, struct container_row *row,
			    struct img_err *err) IMG_MUST_USE;
/* Something in it was killed for want of memory; its next start forgets it. */
int container_set_oom_killed(struct store *store,
			     const struct container_row *row,
			     struct img_err *err) IMG_MUST_USE;
/* Another volume in the place of @row->volume; IMG_E_NOT_FOUND where the
 * container was removed, or got another one, meanwhile. */
int container_set_volume(struct store *store, const struct container_row *row,
			 const struct volume *volume,
			 struct img_err *err) IMG_MUST_USE;
/* IMG_E_NOT_FOUND where the container was removed meanwhile. */
int container_set_config(struct store *store, const struct container_row *row,
			 const char *config, struct img_err *err) IMG_MUST_USE;
/* IMG_E_EXISTS for a name that is taken; its own is none. */
int container_rename(struct store *store, const struct container_row *row,
		     const char *name, struct img_err *err) IMG_MUST_USE;
/**
 * container_clone - a new container with another's state and configuration
 * @name: NULL: one is made up
 *
 * Durable when it returns 0; a crash before leaves nothing of it.
 * IMG_E_EXISTS where the name is taken.
 */
int container_clone(struct store *store, const struct container_row *from,
		    const char *name, struct id *ret,
		    struct img_err *err) IMG_MUST_USE;
/**
 * container_remove - a container goes, with its snapshots, files and volume
 * @held: its volume, where this process holds it as running; NULL: nobody does
 * @volumes: its anonymous volumes go, too
 *
 * Once its rows are gone it is gone: what a crash leaves of the volumes, the
 * next open of the store removes.  IMG_E_NOT_FOUND where somebody else removed
 * it.
 */
int container_remove(struct store *store, const struct container_row *row,
		     struct volume_pending *held, bool volumes,
		     struct img_err *err) IMG_MUST_USE;
/* Whether it is removed in any case, once its run has ended: it has been
 * running with --rm for as long as it has a row.  Its removal need not be
 * durable, since whichever of its rows a power cut brings back, it is removed
 * again; unless it has volumes of its own, whose rows are. */
bool container_always_goes(const struct container_row *row);
/* Its row alone, within a transaction of the caller's. */
int container_delete(struct store *store, const struct container_row *row,
		     struct img_err *err) IMG_MUST_USE;

/* The hook for store_open: a supervisor was killed. */
int container_run_ended(struct store *store, uint32_t volume,
			struct img_err *err) IMG_MUST_USE;

/* The hook for store_open: a volume became larger. */
int container_grow(struct store *store, const char *node, uint64_t size_bytes,
		   struct img_err *err) IMG_MUST_USE;

/* The hook for store_open: a container's removal, or a snapshot's, outlived
 * its rows'. */
int container_vanished(struct store *store, uint32_t volume,
		       struct img_err *err) IMG_MUST_USE;

/*
 * A container's own directory, for its log and the files of its names.  Only a
 * container with a row has one: it is made after the row and removed before it.
 */

/* Where its log is, if it ever ran in the background; the caller frees it. */
char *container_log_path(struct store *store, const struct container_row *row);
/* Makes the directory; the caller frees *ret, the path of the log in it. */
int container_log(struct store *store, const struct container_row *row,
		  char **ret, struct img_err *err) IMG_MUST_USE;
/* From HostConfig.LogConfig of a configuration; *ret_kept is false where its
 * driver is "none". */
int container_log_limits(const json_t *config, bool *ret_kept,
			 struct log_limits *ret,
			 struct img_err *err) IMG_MUST_USE;
/* Removes the directory with all in it, and the file that names its process;
 * missing ones are no failure. */
int container_files_remove(struct store *store, const struct container_row *row,
			   struct img_err *err) IMG_MUST_USE;
/* Calls @fn with the id of each such directory whose row is gone. */
int container_dirs_stray(struct store *store,
			 int (*fn)(void *self, const char *id,
				   struct img_err *err),
			 void *self, struct img_err *err) IMG_MUST_USE;
int container_dir_remove(struct store *store, const char *id,
			 struct img_err *err) IMG_MUST_USE;
/* The hook for store_open: removes those whose rows went with the power. */
void container_dirs_sweep(struct store *store);

/* A file in the run directory. */
char *container_pid_path(struct store *store, const struct container_row *row);
/* Where its monitor listens, while it runs in the background. */
char *container_attach_path(struct store *store,
			    const struct container_row *row);
/* The container's first process, or 0 when it does not run. */
pid_t container_pid(struct store *store, const struct container_row *row);

/**
 * container_note - write down what a container is, beside its log
 *
 * For a catalog that is lost: container_find_note finds it again by the
 * volume.  Not synced, and best effort: without it the container would be
 * recovered under another name.  Like the log only a container with a row has
 * it.
 */
void container_note(struct store *store, const struct container_row *row);
/* The same of one that nobody holds: leaves nothing of what was removed
 * meanwhile. */
void container_note_again(struct store *store, const struct container_row *row);
/* True with what was noted of a volume; release it. */
bool container_find_note(struct store *store, uint32_t volume,
			 struct container_row *ret);

/**
 * container_recover - a row for a volume that nothing names any more
 * @volume: its origin, if it has one, is the volume of the image it is of
 *
 * It becomes the stopped container that was noted (container_note), or else
 * one called "recovered-<volume>", with that image's configuration.  The
 * volume has a row.
 */
int container_recover(struct store *store, const struct volume *volume,
		      struct img_err *err) IMG_MUST_USE;

/* Looks for volumes that nothing names, and files that no container needs
 * (storage/examine.h). */
struct findings;
int container_examine(struct store *store, struct findings *ret,
		      struct img_err *err) IMG_MUST_USE;

#endif
