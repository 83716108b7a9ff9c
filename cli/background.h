#ifndef IMG_CLI_BACKGROUND_H
#define IMG_CLI_BACKGROUND_H

/*
 * A container in the background: started there by a monitor, and attached to
 * by whoever wants to, from its first word on or later.
 */
#include "cli/container.h"
#include "cli/verb.h"
#include "runtime/attach.h"
#include "runtime/detach.h"

struct background {
	const struct cli *cli;
	/* In the monitor: finds or makes the container, and runs it to its
	 * end.  A failure before its start becomes the command's. */
	int (*fn)(struct store *store, struct detach *detach, void *self,
		  struct img_err *err);
	void *self;
	const char *ref; /* of the container, once it runs: name or id */
	/* How the command stays attached; NULL: it returns. */
	struct attach_options *attach;
	/* Where it could not be started: 126 or 127 if the command is why. */
	int exit_status;
};

/**
 * background_start - start a container in the background
 *
 * No store is open in this process.  Returns 0 once it has started; where the
 * command stays attached, its status or, if it detached, 0.
 */
int background_start(struct background *background,
		     struct img_err *err) IMG_MUST_USE;

/* All streams of a container that has a terminal.  @detach_keys: NULL for the
 * default; IMG_E_INPUT where they are none. */
int background_attach_options(const char *detach_keys, bool forward_signals,
			      struct attach_options *ret,
			      struct img_err *err) IMG_MUST_USE;

/**
 * background_attach - attach to a container until it ends
 * @ref: its name or id
 * @socket: to its monitor
 *
 * No store is open in this process.  Returns its status, or 0 when the user
 * detached, which the journal of events then has.
 */
int background_attach(const struct cli *cli, const char *ref, int socket,
		      const struct attach_options *options,
		      struct img_err *err) IMG_MUST_USE;

#endif
