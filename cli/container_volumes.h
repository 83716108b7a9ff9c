#ifndef IMG_CLI_CONTAINER_VOLUMES_H
#define IMG_CLI_CONTAINER_VOLUMES_H

/*
 * The named volumes that containers have: those that the command line names,
 * and the anonymous ones, of `-v /path` and of the image's VOLUME.
 *
 * A container's configuration says which it mounts where: "NAME:/path" in
 * HostConfig.Binds, an object with Type "volume" in HostConfig.Mounts.  The
 * rows of volume_users say the same to the catalog, which then lets none of
 * them be removed.
 */
#include "cli/container.h"
#include "image/named_volume.h"

/**
 * container_volumes_resolve - make what a new container's volumes lack
 * @config: its configuration as text, changed in place: the image's VOLUMEs
 *	and mounts without a name get one
 *
 * A volume that is not there yet is made, as docker does.  After a failure
 * what was made without a name is gone again.
 */
int container_volumes_resolve(struct store *store, char **config,
			      struct img_err *err) IMG_MUST_USE;

/* Whether a container's configuration has any without a name. */
bool container_volumes_has_own(const char *config);

/* The container came to nothing: its anonymous volumes go. */
void container_volumes_drop(struct store *store, const char *config);

/* The rows of a container that was just inserted; within its transaction.
 * What the catalog does not know is left out: the next start says so. */
int container_volumes_insert(struct store *store,
			     const struct container_row *row,
			     struct img_err *err) IMG_MUST_USE;

/* IMG_E_NOT_FOUND where a volume went between container_volumes_resolve and
 * the rows; in their transaction, which is then to be rolled back. */
int container_volumes_check(struct store *store,
			    const struct container_row *row,
			    struct img_err *err) IMG_MUST_USE;

/* Calls @fn with the name of each container that has the volume, by name. */
int container_volumes_users(struct store *store, const char *volume,
			    int (*fn)(void *self, const char *container,
				      struct img_err *err),
			    void *self, struct img_err *err) IMG_MUST_USE;
/* The same as one text, "a, b", or NULL where nobody has it; heap. */
int container_volumes_user_names(struct store *store, const char *volume,
				 char **ret, struct img_err *err) IMG_MUST_USE;

/* Volumes while they go. */
struct volumes_gone {
	struct volume_pending *all;
	char **names;
	size_t n;
};

/**
 * container_volumes_begin_delete - a container's anonymous volumes are to go
 *
 * Those that no other container has.  Within a transaction of the caller's,
 * before the container's own row goes, and with it its rows here.  After its
 * commit container_volumes_finish_delete removes them; if this process dies
 * first, the next open of the store does.
 */
int container_volumes_begin_delete(struct store *store,
				   const struct container_row *row,
				   struct volumes_gone *ret,
				   struct img_err *err) IMG_MUST_USE;
int container_volumes_finish_delete(struct volumes_gone *gone,
				    struct img_err *err) IMG_MUST_USE;
/* Instead, after that transaction's rollback; nothing after the finish. */
void volumes_gone_release(struct volumes_gone *gone);

/* For a container whose supervisor was killed and which is to go: whoever
 * recovers the store removes them.  Within a transaction. */
int container_volumes_condemn(struct store *store,
			      const struct container_row *row,
			      struct img_err *err) IMG_MUST_USE;

#endif
