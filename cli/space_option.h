#ifndef IMG_CLI_SPACE_OPTION_H
#define IMG_CLI_SPACE_OPTION_H

/*
 * Which namespaces a container shares: --network, --pid, --ipc, --uts and
 * --cgroupns, under docker's names in HostConfig.
 *
 * A container that is shared with is kept by its id.  It has to run when this
 * one starts, and then gives it its user ids, too.
 */
#include "cli/container.h"
#include "runtime/spec.h"

#include <jansson.h>

struct isolation_options;

/* As typed; NULL: the container has it for itself. */
struct space_options {
	const char *network, *pid, *ipc, *uts, *cgroupns;
};

/* Checks what is typed, alone and with the other options, and writes it. */
int space_option_put(json_t *host, const struct isolation_options *options,
		     struct img_err *err) IMG_MUST_USE;

/* In place of names of containers in a configuration their ids: text to free.
 * IMG_E_NOT_FOUND naming the option. */
int space_option_resolve(struct store *store, char **config,
			 struct img_err *err) IMG_MUST_USE;

/* What a spec borrows. */
struct space_parts {
	int pidfds[3];
	size_t n;
};
void space_parts_release(struct space_parts *parts);

/**
 * space_spec_read - give a spec what the configuration says
 * @parts: zero-initialised; lives as long as @spec
 *
 * Opens the containers that are shared with: IMG_E_NOT_FOUND where one does
 * not run.
 */
int space_spec_read(struct store *store, const json_t *config,
		    struct space_parts *parts, struct container_spec *spec,
		    struct img_err *err) IMG_MUST_USE;

/* The id of the container whose network it is, or NULL. */
const char *space_network_of(const json_t *config);
/* It has the host's network. */
bool space_has_host_network(const json_t *config);

#endif
