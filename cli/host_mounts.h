#ifndef IMG_CLI_HOST_MOUNTS_H
#define IMG_CLI_HOST_MOUNTS_H

/*
 * The mounts of a container's configuration, whichever way they are written:
 * as text in HostConfig.Binds or as objects in HostConfig.Mounts.
 */
#include <jansson.h>
#include <stdbool.h>

/* 1 when something is mounted at @target already, a tmpfs included; a plain
 * path, as bind_target_parse makes it. */
bool host_mounts_has(const json_t *host, const char *target);

/* All volumes and binds, each as an object as Mounts has them; a new array.
 * Those of Mounts are the very same objects. */
json_t *host_mounts_all(const json_t *host);

/* Adds a volume without a name, which it gets when it is made, to Mounts. */
void host_mounts_put_volume(json_t *mounts, const char *target);

#endif
