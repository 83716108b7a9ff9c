#ifndef IMG_CLI_VOLUMES_FROM_H
#define IMG_CLI_VOLUMES_FROM_H

/*
 * --volumes-from CONTAINER[:ro|rw]: a new container has what another one has
 * mounted, volumes and the host's directories, at the same places.
 *
 * What that is is written down once, when the container is made: objects in
 * HostConfig.Mounts, with "From", the id of the other one.  Both may then go
 * their own ways.
 */
#include "base/err.h"
#include "cli/options.h"

#include <jansson.h>

struct store;

/* HostConfig.VolumesFrom, as they were given; IMG_E_INPUT for one that says
 * nothing that is known. */
int volumes_from_put(json_t *host, const struct text_list *list,
		     struct img_err *err) IMG_MUST_USE;

/**
 * volumes_from_resolve - add to HostConfig.Mounts what others have
 * @host: with VolumesFrom, Binds, Mounts and Tmpfs
 *
 * What the container has there of its own wins, then the last one that is
 * named.  Where the other one cannot write neither can this one.
 * IMG_E_NOT_FOUND for a container that is not there.
 */
int volumes_from_resolve(struct store *store, json_t *host,
			 struct img_err *err) IMG_MUST_USE;

/* Whether a mount came from another container. */
bool volumes_from_is(const json_t *mount);

#endif
