#ifndef IMG_MACHINE_SESSION_H
#define IMG_MACHINE_SESSION_H

/*
 * The host half of a running machine: carries streams, terminal and signals
 * until the guest is done or gone, and says how it went.
 */
#include "base/err.h"
#include "machine/channel.h"
#include "machine/keeper.h"
#include "machine/terminal.h"

#include <stdbool.h>

struct session {
	struct channel channel;
	struct keeper keeper;
	struct terminal terminal;
	int console_fd; /* what the kernel says; non-blocking */
	bool verbose;	/* copy it to stderr */
};

/**
 * session_run - carry on until the machine is gone
 * @session: everything in it is used up, but stays the caller's to release
 * @ret_status: always set: what this process should exit with
 *
 * SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1 and SIGUSR2 go to the command,
 * unless this process ignores them; a second SIGTERM ends the machine.
 * Returns as machine_exec does.
 */
int session_run(struct session *session, int *ret_status,
		struct img_err *err) IMG_MUST_USE;

#endif
