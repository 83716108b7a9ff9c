#include "machine/guest.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "machine/guest_command.h"

#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>

/* How long processes that were killed may hold on to the streams. */
#define LEFTOVER_TIMEOUT_MS 5000

/* The command's ends of its three streams, and ours. */
struct streams {
	int theirs[CHANNEL_STREAMS];
	int ours[CHANNEL_STREAMS];
	bool terminal; /* theirs[0] is to be the controlling one */
};

struct run {
	const struct channel *channel;
	struct streams streams;
	struct flow flows[CHANNEL_STREAMS];
	int child_fd; /* signalfd for SIGCHLD */
	pid_t command;
	int status; /* of the command, once command is 0 */
};

/* Does not block our end; theirs is a file description of its own. */
static int open_pipe(struct streams *streams, int i)
{
	bool in = i == CHANNEL_STDIN;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	streams->theirs[i] = ends[in ? 0 : 1];
	streams->ours[i] = ends[in ? 1 : 0];
	/* fewer, larger steps; a pipe of the usual size would do */
	(void)fcntl(ends[0], F_SETPIPE_SZ, RING_BYTES);
	return fcntl(streams->ours[i], F_SETFL, O_NONBLOCK);
}

static int open_terminal(struct streams *streams, bool with_stderr)
{
	int last = with_stderr ? CHANNEL_STDERR : CHANNEL_STDOUT;
	int primary = -1, secondary = -1;

	if (openpty(&primary, &secondary, NULL, NULL, NULL) < 0)
		return -1;
	streams->terminal = true;
	for (int i = 0; i <= last; i++) {
		streams->theirs[i] = fcntl(secondary, F_DUPFD_CLOEXEC, 3);
		if (i <= CHANNEL_STDOUT)
			streams->ours[i] = fcntl(primary, F_DUPFD_CLOEXEC, 3);
	}
	(void)close(secondary);
	(void)close(primary);
	return fcntl(streams->ours[0], F_SETFL, O_RDWR | O_NONBLOCK);
}

static int open_streams(struct streams *streams, uint64_t terminal,
			struct img_err *err)
{
	bool with_stderr = terminal & JOB_TTY_STDERR;

	if ((terminal & JOB_TTY_MAIN) &&
	    open_terminal(streams, with_stderr) < 0)
		return img_err_sys(err, "cannot make a terminal");
	for (int i = 0; i < CHANNEL_STREAMS; i++)
		if (streams->theirs[i] < 0 && open_pipe(streams, i) < 0)
			return img_err_sys(err, "cannot make a pipe");
	return 0;
}

static void set_window(const struct run *run)
{
	uint32_t window = atomic_load(&run->channel->page->window);
	struct winsize size = { .ws_row = (unsigned short)(window >> 16),
				.ws_col = (unsigned short)window };

	if (run->streams.terminal && window && run->flows[0].fd >= 0)
		(void)ioctl(run->flows[0].fd, TIOCSWINSZ, &size);
}

/* Signals that a terminal would send go to its foreground processes. */
static void pass_signals(struct run *run)
{
	uint64_t signals = atomic_exchange(&run->channel->page->signals, 0);

	for (int signo = 1; signals && signo < 64; signo++) {
		bool group =
			signo == SIGINT || signo == SIGQUIT || signo == SIGHUP;

		if (run->command && (signals & (UINT64_C(1) << signo)))
			(void)kill(group ? -run->command : run->command, signo);
	}
}

static int start(struct run *run, const struct job *job, int *ret_status,
		 struct img_err *err)
{
	int r = guest_command_start(job, run->streams.theirs,
				    run->streams.terminal, &run->command,
				    ret_status, err);

	for (int i = 0; i < CHANNEL_STREAMS; i++)
		img_fd_release(&run->streams.theirs[i]);
	return r;
}

/* Reaps whoever ended; true while there are processes. */
static bool reap(struct run *run)
{
	struct signalfd_siginfo info;
	int status;
	pid_t pid;

	(void)!read(run->child_fd, &info, sizeof(info)); /* only wakes us */
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != run->command)
			continue;
		run->command = 0;
		run->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status)
						  : WEXITSTATUS(status);
	}
	return pid == 0;
}

static void step(struct run *run)
{
	struct pollfd child = { .fd = run->child_fd, .events = POLLIN };

	(void)channel_wait(run->channel, run->flows, &child, 1, -1);
	pass_signals(run);
	set_window(run);
}

/* Kills what the command left, and passes on the last of its output. */
static void finish(struct run *run)
{
	const int64_t deadline = clock_steady_ms() + LEFTOVER_TIMEOUT_MS;

	(void)kill(-1, SIGKILL); /* all but pid 1 */
	while (reap(run) && clock_steady_ms() < deadline) {
		step(run);
		(void)kill(-1, SIGKILL); /* who was just forked */
	}
	flow_stop(&run->flows[CHANNEL_STDIN]);
	while (!flow_is_done(&run->flows[CHANNEL_STDOUT]) ||
	       !flow_is_done(&run->flows[CHANNEL_STDERR])) {
		step(run);
		if (clock_steady_ms() > deadline && reap(run))
			break; /* something unkillable has them open */
	}
}

static void begin_flows(struct run *run)
{
	for (int i = 0; i < CHANNEL_STREAMS; i++) {
		struct ring_end end =
			channel_ring(run->channel, (enum channel_stream)i);
		int fd = img_fd_take(&run->streams.ours[i]);

		flow_init(&run->flows[i],
			  i == CHANNEL_STDIN ? FLOW_OUT : FLOW_IN, fd, end,
			  true);
	}
}

static void run_release(struct run *run)
{
	for (int i = 0; i < CHANNEL_STREAMS; i++) {
		img_fd_release(&run->streams.theirs[i]);
		img_fd_release(&run->streams.ours[i]);
	}
	img_fd_release(&run->child_fd);
}

static int catch_children(struct run *run, struct img_err *err)
{
	sigset_t child;

	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &child, NULL);
	run->child_fd = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	if (run->child_fd < 0)
		return img_err_sys(err, "cannot watch for processes");
	return 0;
}

int guest_run(const struct job *job, const struct channel *channel,
	      int *ret_status, struct img_err *err)
{
	img_auto(run_release) struct run run = {
		.channel = channel,
		.streams = { { -1, -1, -1 }, { -1, -1, -1 }, false },
		.child_fd = -1,
	};
	int r = catch_children(&run, err);

	if (r == 0)
		r = open_streams(&run.streams, job->terminal, err);
	if (r < 0)
		return r;
	begin_flows(&run);
	set_window(&run);
	r = start(&run, job, ret_status, err);
	while (r == 0 && run.command) {
		step(&run);
		(void)reap(&run); /* the command is what we wait for */
	}
	finish(&run);
	if (r == 0)
		*ret_status = run.status;
	return r;
}
