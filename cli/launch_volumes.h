#ifndef IMG_CLI_LAUNCH_VOLUMES_H
#define IMG_CLI_LAUNCH_VOLUMES_H

/*
 * The named volumes of a container while it runs: each is shared with whoever
 * else has it (storage/share.h), mounted, and filled when it is new.
 */
#include "cli/spec.h"

struct launch_volume {
	char *name;
	struct volume_pending share;
	int mount; /* -1 once the container has it */
	bool told; /* in the journal of events */
};

/* Zero-initialised: none. */
struct launch_volumes {
	struct launch_volume *all;
	size_t n;
	struct store *store; /* both borrowed */
	const struct container_row *row;
};

/**
 * launch_volumes_begin - get hold of what the mounts of @parts name
 * @spec: whose root device is there, and not mounted
 * @ret: its mounts are borrowed by those of @parts; end it in every case
 *
 * A volume with nothing in it gets what the image has at its place, unless
 * the mount says otherwise, when this is the container's first start and no
 * other container has it at the moment.
 */
int launch_volumes_begin(struct store *store, const struct container_row *row,
			 struct spec_parts *parts,
			 const struct container_spec *spec,
			 struct launch_volumes *ret,
			 struct img_err *err) IMG_MUST_USE;

/* The container is gone: so is its part in them.  What fails is told, and left
 * to the next command. */
void launch_volumes_end(struct launch_volumes *volumes);

#endif
