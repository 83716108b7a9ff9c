#include "cli/background.h"

#include "base/cleanup.h"
#include "cli/event.h"

#include <sys/pidfd.h>
#include <sys/socket.h>

/* Never returns. */
static void monitor(const struct background *b, struct detach *detach)
{
	img_auto(store_close) struct store *store = NULL;
	struct img_err err = { 0 };
	int r = cli_open_store(b->cli, false, &store, &err);

	detach->exit_status = 125; /* launch knows better */
	if (r == 0)
		r = b->fn(store, detach, b->self, &err);
	/* The command says it, once nothing is left of what did not start. */
	if (r < 0 && detach->report_fd >= 0)
		detach_report(detach, 0, detach->exit_status, &err);
	store_close(&store);
	exit(r < 0 ? 125 : 0);
}

int background_attach_options(const char *detach_keys, bool forward_signals,
			      struct attach_options *ret, struct img_err *err)
{
	*ret = (struct attach_options){
		.with_stdin = true,
		.with_stdout = true,
		.with_stderr = true,
		.tty = true,
		.forward_signals = forward_signals,
	};
	return attach_parse_keys(detach_keys, ret, err);
}

/* It may have ended since, or been removed: nobody misses it then. */
static void tell_detached(const struct cli *cli, const char *ref)
{
	img_auto(container_row_release) struct container_row row = { 0 };
	img_auto(store_close) struct store *store = NULL;
	struct img_err dropped = { 0 };

	if (cli_open_container(cli, ref, &store, &row, &dropped) == 0)
		event_write(store, "detach", &row);
}

int background_attach(const struct cli *cli, const char *ref, int socket,
		      const struct attach_options *options, struct img_err *err)
{
	enum attach_end end;
	int status = 0;
	int r = attach_run(socket, options, &end, &status, err);

	if (r < 0)
		return r;
	if (end == ATTACH_LOST)
		return img_err_set(err, IMG_E_INTERRUPTED, 0,
				   "its monitor was killed, and it with it");
	if (end == ATTACH_DETACHED)
		tell_detached(cli, ref);
	return end == ATTACH_ENDED ? status : 0;
}

static int stay(const struct background *b, const struct detach *detach,
		int socket, struct img_err *err)
{
	img_auto(img_fd_release) int pidfd = -1;

	/* One that has ended already gets no signals. */
	pidfd = pidfd_open(detach->container_pid, 0);
	b->attach->pidfd = pidfd;
	return background_attach(b->cli, b->ref, socket, b->attach, err);
}

int background_start(struct background *b, struct img_err *err)
{
	img_auto(img_fd_release) int ours = -1;
	img_auto(img_fd_release) int theirs = -1;
	struct detach detach = { 0 };
	int pair[2], r;

	if (b->attach) {
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
			       pair) != 0)
			return img_err_sys(err, "cannot make a socket");
		ours = pair[0];
		theirs = pair[1];
	}
	(void)fflush(stdout); /* else the monitor's end says it again */
	r = detach_fork(&detach, err);
	if (detach.is_monitor) {
		img_fd_release(&ours);
		detach.client = img_fd_take(&theirs);
		monitor(b, &detach);
	}
	img_fd_release(&theirs);
	b->exit_status = detach.exit_status;
	return r < 0 || !b->attach ? r : stay(b, &detach, ours, err);
}
