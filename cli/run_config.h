#ifndef IMG_CLI_RUN_CONFIG_H
#define IMG_CLI_RUN_CONFIG_H

/*
 * A container's configuration: the image's, changed by the options of its
 * command line.  JSON as docker's inspect shows it; what no image has is under
 * "HostConfig".
 */
#include "base/err.h"
#include "cli/isolation.h"
#include "cli/life.h"
#include "cli/limits.h"
#include "cli/options.h"

#include <jansson.h>
#include <stdbool.h>

/* Zero-initialised: nothing is changed. */
struct run_config {
	const char *workdir, *user, *entrypoint, *userns;
	struct text_list env, cap_add, cap_drop, security;
	struct isolation_options isolation;
	struct limit_options limits;
	struct limit_run_options limits_run;
	struct life_options life;
	bool interactive, tty, privileged, stdin_once;
};

/**
 * run_config_make - what a container is to be
 * @base: the image's configuration
 * @argv: command and arguments, NULL-terminated; none: the image's
 * @ret: text to free; image_config_parse reads it
 *
 * Returns 0, or IMG_E_INPUT that names the option.
 */
int run_config_make(const char *base, const struct run_config *options,
		    char *const *argv, char **ret,
		    struct img_err *err) IMG_MUST_USE;

/* Whether a container's configuration, as text, wants no ids of its own, but
 * the host's or those of a container that it shares with. */
bool run_config_has_host_users(const char *config);

/**
 * run_config_join - what a further command in a container is to be
 * @base: the container's configuration
 * @options: env, workdir, user, tty and interactive count
 * @ret: the configuration with that changed; a reference to give back
 */
int run_config_join(const char *base, const struct run_config *options,
		    char *const *argv, json_t **ret,
		    struct img_err *err) IMG_MUST_USE;

#endif
