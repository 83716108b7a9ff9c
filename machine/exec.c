#include "machine/machine.h"

#include "base/cleanup.h"
#include "machine/session.h"
#include "machine/setup.h"

#include <fcntl.h>

/* Boots what @setup describes; the console becomes @session's. */
static int boot(struct setup *setup, struct session *session,
		struct img_err *err)
{
	img_auto(img_fd_release) int memory_fd = -1;
	struct keeper_options keeper = {
		.kernel = setup->kernel,
		.program = setup->program,
		.preload = setup->preload,
		.mem_bytes = setup->mem_bytes,
		.verbose = setup->options->verbose,
		.line_fd = setup->line_fd[1],
		.state_fd = setup->state_fd,
		.console_fd = setup->console_fd[1],
	};
	int r = channel_create(setup->job.s, setup->job.len, setup->line_fd[0],
			       &session->channel, &memory_fd, err);

	if (r < 0)
		return r;
	atomic_store(&session->channel.page->window,
		     terminal_window(&session->terminal));
	keeper.memory_fd = memory_fd;
	r = keeper_start(&keeper, &session->keeper, err);
	if (r < 0)
		return r;
	/* the machine's alone, so that its end is seen */
	img_fd_release(&setup->line_fd[1]);
	img_fd_release(&setup->console_fd[1]);
	img_fd_release(&setup->state_fd);
	session->console_fd = img_fd_take(&setup->console_fd[0]);
	return 0;
}

static void session_release(struct session *session)
{
	keeper_release(&session->keeper);
	terminal_release(&session->terminal);
	img_fd_release(&session->console_fd);
	channel_release(&session->channel);
}

/* A missing standard stream is an empty one: else the first file that is
 * opened would take its number. */
static int fill_streams(struct img_err *err)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd < 0)
		return img_err_sys(err, "cannot open /dev/null");
	img_fd_release(&fd);
	return 0;
}

int machine_exec(const struct machine_options *options, char **argv,
		 int *ret_status, struct img_err *err)
{
	img_auto(setup_release) struct setup setup = SETUP_EMPTY(options);
	img_auto(session_release) struct session session = {
		.keeper = { .life_fd = -1 },
		.console_fd = -1,
		.verbose = options->verbose,
	};
	int r;

	*ret_status = MACHINE_STATUS_FAILED;
	r = fill_streams(err);
	if (r < 0)
		return r;
	terminal_init(&session.terminal);
	r = setup_make(&setup, argv, &session.terminal, err);
	if (r == 0)
		r = boot(&setup, &session, err);
	if (r == 0)
		r = session_run(&session, ret_status, err);
	return r;
}
