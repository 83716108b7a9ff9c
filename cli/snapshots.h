#ifndef IMG_CLI_SNAPSHOTS_H
#define IMG_CLI_SNAPSHOTS_H

/*
 * Snapshots of containers: earlier states, each a volume of its own that is
 * never active and never changes.
 *
 * They belong to their container: whoever removes that removes them with it,
 * in the same transaction.  A snapshot is durable once it was acknowledged.
 */
#include "cli/container.h"

struct snapshot_row {
	struct id container;
	char container_name[CONTAINER_NAME_MAX + 1];
	char name[CONTAINER_NAME_MAX + 1]; /* unique within the container */
	struct volume volume;
	int64_t created_ns;
};

/* Returns 0, or IMG_E_INPUT: a plain name (image/name.h). */
int snapshot_name_check(const char *name, struct img_err *err) IMG_MUST_USE;

/* The snapshot of that name; IMG_E_NOT_FOUND. */
int snapshot_find(struct store *store, const struct container_row *container,
		  const char *name, struct snapshot_row *ret,
		  struct img_err *err) IMG_MUST_USE;

/* Calls @fn for each snapshot of a container, or of all containers where that
 * is NULL: by container's name, oldest first. */
int snapshot_each(struct store *store, const struct container_row *container,
		  int (*fn)(void *self, const struct snapshot_row *row,
			    struct img_err *err),
		  void *self, struct img_err *err) IMG_MUST_USE;

/**
 * snapshot_insert - record a snapshot, within a transaction of the caller's
 * @row: container, volume and created_ns; an empty name is made up, and left
 *	there
 *
 * Returns 0, IMG_E_EXISTS where the name is taken, IMG_E_NOT_FOUND where the
 * container was removed meanwhile.
 */
int snapshot_insert(struct store *store, struct snapshot_row *row,
		    struct img_err *err) IMG_MUST_USE;
/* Within a transaction; the volume is the caller's to remove.  IMG_E_NOT_FOUND
 * where it is gone already. */
int snapshot_delete(struct store *store, const struct snapshot_row *row,
		    struct img_err *err) IMG_MUST_USE;

/**
 * snapshot_take - keep a container's present state
 * @row: its name, or an empty one that is made up; the rest is filled
 *
 * Returns 0, or IMG_E_EXISTS where the name is taken.  A crash leaves nothing
 * of a snapshot that was not acknowledged.
 */
int snapshot_take(struct store *store, const struct container_row *container,
		  struct snapshot_row *row, struct img_err *err) IMG_MUST_USE;

/* Removes one, and gives its space back.  IMG_E_NOT_FOUND. */
int snapshot_remove(struct store *store, const struct container_row *container,
		    const char *name, struct img_err *err) IMG_MUST_USE;

/**
 * snapshot_roll_back - return a stopped container to the state of a snapshot
 *
 * Its volume becomes a snapshot of the snapshot, which stays; the volume that
 * it had goes.  Durable when it returns 0.  A crash leaves the container with
 * either state, and no volume that nobody has.  IMG_E_BUSY while it runs.
 */
int snapshot_roll_back(struct store *store, const struct container_row *row,
		       const char *name, struct img_err *err) IMG_MUST_USE;

/* The volumes of a container's snapshots, while they go. */
struct snapshots_gone {
	struct volume_pending *volumes;
	size_t n;
};

/**
 * snapshots_begin_delete - all snapshots of a container are to go
 *
 * Within a transaction of the caller's, before the container's own row goes.
 * After its commit snapshots_finish_delete removes the volumes; if this
 * process dies first, the next open of the store does.
 */
int snapshots_begin_delete(struct store *store,
			   const struct container_row *container,
			   struct snapshots_gone *ret,
			   struct img_err *err) IMG_MUST_USE;
/* Each volume by itself: the first failure is told, after all were tried. */
int snapshots_finish_delete(struct snapshots_gone *gone,
			    struct img_err *err) IMG_MUST_USE;
/* Instead, after that transaction's rollback; nothing after the finish. */
void snapshots_gone_release(struct snapshots_gone *gone);

/* For a container whose supervisor was killed and which is to go: whoever
 * recovers the store removes the volumes.  Within a transaction. */
int snapshots_condemn(struct store *store,
		      const struct container_row *container,
		      struct img_err *err) IMG_MUST_USE;

/* For a container that vanished from the pool: its snapshots' volumes become
 * orphans, which are searched for next.  Within a transaction. */
int snapshots_orphan(struct store *store, const struct container_row *container,
		     struct img_err *err) IMG_MUST_USE;

#endif
