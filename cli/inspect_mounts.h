#ifndef IMG_CLI_INSPECT_MOUNTS_H
#define IMG_CLI_INSPECT_MOUNTS_H

/*
 * The mounts of a container, of whichever option they came, as docker's
 * inspect lists them.
 */
#include <jansson.h>

/* @host: HostConfig; a new array. */
json_t *inspect_mounts(const json_t *host);

#endif
