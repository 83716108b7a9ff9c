#ifndef IMG_CLI_START_H
#define IMG_CLI_START_H

/*
 * Starting a container that is there already.
 */
#include "cli/background.h"

/**
 * start_background - run a stopped container's command in the background
 * @attach: how this command stays attached, or NULL
 *
 * As background_start; no store is open in this process.
 */
int start_background(const struct cli *cli, const char *ref,
		     struct attach_options *attach,
		     struct img_err *err) IMG_MUST_USE;

#endif
