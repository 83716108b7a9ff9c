#ifndef IMG_CLI_SPEC_H
#define IMG_CLI_SPEC_H

/*
 * From a container's configuration, as its row keeps it, to what the runtime
 * wants to know.
 */
#include "cli/container.h"
#include "cli/isolation_spec.h"
#include "runtime/cgroup_limits.h"
#include "runtime/spec.h"

#include <jansson.h>

/* What a spec borrows. */
struct spec_parts {
	json_t *config;
	char **argv, **env;
	char **security;
	const char *syscalls;
	uint64_t capabilities;
	bool privileged, no_new_privileges;
	struct isolation_parts isolation;
	struct cgroup_limits limits;
	struct cgroup_io *io;
	char node[VOLUME_NODE_MAX]; /* for the caller to fill */
};
void spec_parts_release(struct spec_parts *parts);

/**
 * spec_make - what a container is to be
 * @config: changed configuration of the container, or NULL: as its row has it;
 *	taken over
 * @parts: zero-initialised; lives as long as @ret, which borrows from it
 */
int spec_make(const struct container_row *row, json_t *config,
	      struct spec_parts *parts, struct container_spec *ret,
	      struct img_err *err) IMG_MUST_USE;

#endif
