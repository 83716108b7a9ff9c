#ifndef IMG_CLI_ISOLATION_SPEC_H
#define IMG_CLI_ISOLATION_SPEC_H

/*
 * From a container's configuration to its mounts, limits and names, as the
 * runtime takes them: the way back from cli/isolation.h.
 */
#include "runtime/spec.h"

#include <jansson.h>

struct isolation_parts {
	struct container_mount *mounts;
	size_t n_mounts;
	struct sysctl *sysctls;
	struct ulimit *ulimits;
	char **groups;
	char **texts; /* what mounts borrow and the configuration lacks */
	size_t n_texts;
};
void isolation_parts_release(struct isolation_parts *parts);

/* Keeps a text as long as @parts live: heap, taken over. */
const char *isolation_keep(struct isolation_parts *parts, char *text);

/* One more mount, zeroed, to be filled; valid until the next. */
struct container_mount *isolation_add_mount(struct isolation_parts *parts);

/**
 * isolation_read - fill the fields of @spec that are about isolation
 * @config: of the container; @spec borrows from it
 * @parts: zero-initialised; lives as long as @spec
 */
int isolation_read(const json_t *config, struct isolation_parts *parts,
		   struct container_spec *spec,
		   struct img_err *err) IMG_MUST_USE;

/* Gives the mounts to @spec, those nearer to the root first: a mount must not
 * hide one that was attached before it. */
void isolation_order_mounts(struct isolation_parts *parts,
			    struct container_spec *spec);

/* Its part that is about mounts. */
int isolation_read_mounts(const json_t *host, struct isolation_parts *parts,
			  struct img_err *err) IMG_MUST_USE;

#endif
