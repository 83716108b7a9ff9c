#include "machine/session.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "machine/console.h"
#include "machine/machine.h"

#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>

#define BOOT_TIMEOUT_MS 60000

struct run {
	struct session *session;
	struct flow flows[CHANNEL_STREAMS];
	struct console console;
	int signal_fd;
	sigset_t caught, old_mask;
	int terminations; /* SIGTERMs so far */
	int interrupted;  /* last signal that asks to end; 0: none */
};

static const int forwarded[] = { SIGHUP,  SIGINT,  SIGQUIT,
				 SIGTERM, SIGUSR1, SIGUSR2 };

/* Catches the signals that are to be forwarded, and those that tell the
 * session of changes.  What the caller ignores, as under nohup, stays so. */
static int catch_signals(struct run *run, struct img_err *err)
{
	static const int always[] = { SIGCHLD, SIGWINCH, SIGCONT, SIGPIPE };

	(void)sigemptyset(&run->caught);
	for (size_t i = 0; i < IMG_COUNT(always); i++)
		(void)sigaddset(&run->caught, always[i]);
	for (size_t i = 0; i < IMG_COUNT(forwarded); i++) {
		struct sigaction now;

		if (sigaction(forwarded[i], NULL, &now) == 0 &&
		    now.sa_handler != SIG_IGN)
			(void)sigaddset(&run->caught, forwarded[i]);
	}
	run->signal_fd = signalfd(-1, &run->caught, SFD_CLOEXEC | SFD_NONBLOCK);
	if (run->signal_fd < 0)
		return img_err_sys(err, "cannot catch signals");
	(void)sigprocmask(SIG_BLOCK, &run->caught, &run->old_mask);
	return 0;
}

static void release_signals(struct run *run)
{
	const struct timespec now = { 0, 0 };

	if (run->signal_fd < 0)
		return;
	/* What came late was meant for the command. */
	while (sigtimedwait(&run->caught, NULL, &now) > 0)
		;
	(void)sigprocmask(SIG_SETMASK, &run->old_mask, NULL);
	img_fd_release(&run->signal_fd);
}

static void forward(struct run *run, int signo)
{
	struct channel_page *page = run->session->channel.page;

	if (signo == SIGTERM)
		run->terminations++;
	if (signo == SIGTERM || signo == SIGINT || signo == SIGHUP)
		run->interrupted = signo;
	(void)atomic_fetch_or(&page->signals, UINT64_C(1) << signo);
	channel_ring_bell(&run->session->channel);
}

static void handle_signals(struct run *run)
{
	struct session *session = run->session;
	struct signalfd_siginfo info;

	while (read(run->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGCONT: /* whoever stopped us may have set the modes */
			session->terminal.is_raw = false;
			break;
		case SIGCHLD:
		case SIGPIPE:
			break;
		case SIGWINCH:
			atomic_store(&session->channel.page->window,
				     terminal_window(&session->terminal));
			channel_ring_bell(&session->channel);
			break;
		default:
			forward(run, (int)info.ssi_signo);
		}
	}
}

static void read_console(struct run *run)
{
	char text[4096];
	ssize_t n;

	while ((n = read(run->session->console_fd, text, sizeof(text))) > 0) {
		console_feed(&run->console, text, (size_t)n);
		/* a stderr that is gone has no use for the console */
		if (run->session->verbose)
			(void)!write(STDERR_FILENO, text, (size_t)n);
	}
	if (n == 0)
		img_fd_release(&run->session->console_fd);
}

static bool step(struct run *run, int timeout_ms)
{
	struct session *session = run->session;
	struct pollfd others[] = {
		{ .fd = run->signal_fd, .events = POLLIN },
		{ .fd = session->console_fd, .events = POLLIN },
	};
	bool alive;

	run->flows[CHANNEL_STDIN].paused = !terminal_claim(&session->terminal);
	alive = channel_wait(&session->channel, run->flows, others,
			     IMG_COUNT(others), timeout_ms);
	if (others[0].revents)
		handle_signals(run);
	if (others[1].revents)
		read_console(run);
	return alive;
}

static enum channel_phase phase(const struct run *run)
{
	return atomic_load(&run->session->channel.page->phase);
}

/* Until the guest is done, or gone, or has to go. */
static void carry(struct run *run)
{
	const int64_t deadline = clock_steady_ms() + BOOT_TIMEOUT_MS;

	while (step(run, -1) && phase(run) != CHANNEL_DONE &&
	       !keeper_is_gone(&run->session->keeper) && run->terminations < 2)
		if (phase(run) == CHANNEL_BOOTING &&
		    clock_steady_ms() > deadline)
			return;
}

/* Writes out what the command left in the rings. */
static void drain(struct run *run)
{
	const unsigned char *left;

	run->session->channel.line_fd = -1;
	flow_stop(&run->flows[CHANNEL_STDIN]);
	run->interrupted = 0;
	for (int i = CHANNEL_STDOUT; i <= CHANNEL_STDERR; i++)
		while (!flow_is_done(&run->flows[i]) &&
		       ring_peek(&run->flows[i].end, &left) &&
		       !run->interrupted)
			(void)step(run, -1);
}

static int unexpected_end(struct run *run, struct img_err *err)
{
	const char *when = phase(run) == CHANNEL_BOOTING
				   ? "the machine did not boot"
				   : "the machine ended unexpectedly";
	struct console *console = &run->console;

	if (run->session->console_fd >= 0)
		read_console(run);
	console_end(console);
	if (console->panic[0])
		return img_err_set(err, IMG_E_UNSUPPORTED, 0,
				   "the machine's kernel panicked: %s",
				   console->panic);
	return img_err_set(err, IMG_E_UNSUPPORTED, 0, "%s%s%s", when,
			   console->last[0] ? ": " : "", console->last);
}

static int outcome(struct run *run, int *ret_status, struct img_err *err)
{
	struct channel_page *page = run->session->channel.page;
	const struct flow *out = &run->flows[CHANNEL_STDOUT];

	*ret_status = MACHINE_STATUS_FAILED;
	if (run->terminations > 1) {
		*ret_status = 128 + SIGTERM;
		return img_err_set(err, IMG_E_INTERRUPTED, 0,
				   "the machine was ended by a second SIGTERM");
	}
	if (phase(run) != CHANNEL_DONE)
		return unexpected_end(run, err);
	if (page->err.code) {
		page->err.msg[sizeof(page->err.msg) - 1] = '\0';
		*ret_status = page->status;
		return img_err_set(err, page->err.code, 0, "%s", page->err.msg);
	}
	if (out->error && out->error != EPIPE)
		return img_err_set(err, IMG_E_SYS, out->error,
				   "cannot write to standard output");
	*ret_status = page->status;
	return 0;
}

int session_run(struct session *session, int *ret_status, struct img_err *err)
{
	struct run run = { .session = session, .signal_fd = -1 };
	struct channel *channel = &session->channel;
	int r;

	*ret_status = MACHINE_STATUS_FAILED;
	r = catch_signals(&run, err);
	if (r < 0)
		return r;
	for (int i = 0; i < CHANNEL_STREAMS; i++)
		flow_init(&run.flows[i],
			  i == CHANNEL_STDIN ? FLOW_IN : FLOW_OUT, i,
			  channel_ring(channel, (enum channel_stream)i), false);
	carry(&run);
	keeper_kill(&session->keeper);
	drain(&run);
	keeper_release(&session->keeper);
	terminal_release(&session->terminal);
	r = outcome(&run, ret_status, err);
	release_signals(&run);
	return r;
}
