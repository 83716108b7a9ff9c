#ifndef IMG_CLI_RUN_LOG_H
#define IMG_CLI_RUN_LOG_H

/*
 * --log-driver and --log-opt, as a container's configuration has them: docker's
 * HostConfig.LogConfig.
 */
#include "cli/options.h"

#include <jansson.h>

/* @config: has a HostConfig.  @driver: NULL for the default.  IMG_E_INPUT names
 * the option. */
int run_log_put(json_t *config, const char *driver,
		const struct text_list *options,
		struct img_err *err) IMG_MUST_USE;

#endif
