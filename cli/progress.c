#include "cli/progress.h"

#include "base/num.h"
#include "cli/clock.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define SECOND_NS INT64_C(1000000000)
#define REDRAW_NS (SECOND_NS / 10)

static volatile sig_atomic_t stop_asked;

static struct {
	bool on_terminal, drawn;
	int64_t begin_ns, drawn_ns;
} state;

static void ask_stop(int signal_number)
{
	stop_asked = 1;
}

static bool is_stopped(void *self)
{
	return stop_asked;
}

static void draw(uint64_t done, uint64_t total, int64_t spent_ns)
{
	char done_text[SIZE_TEXT_MAX], rate_text[SIZE_TEXT_MAX];
	uint64_t rate = done * 1000 / (uint64_t)(spent_ns / 1000000 + 1);

	(void)fprintf(stderr, "\r%s", num_format_size(done, done_text));
	if (total)
		(void)fprintf(stderr, " of %s (%" PRIu64 "%%)",
			      num_format_size(total, done_text),
			      done * 100 / total);
	(void)fprintf(stderr, ", %s/s", num_format_size(rate, rate_text));
	if (total > done && rate)
		(void)fprintf(stderr, ", %" PRIu64 " s left",
			      (total - done) / rate + 1);
	(void)fprintf(stderr, "\033[K");
	(void)fflush(stderr);
	state.drawn = true;
}

static void update(void *self, uint64_t done, uint64_t total)
{
	int64_t now;

	if (!state.on_terminal)
		return;
	now = clock_now_ns();
	if (now - state.begin_ns < SECOND_NS ||
	    now - state.drawn_ns < REDRAW_NS)
		return;
	state.drawn_ns = now;
	draw(done, total, now - state.begin_ns);
}

static void set_handlers(void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler };

	(void)sigemptyset(&action.sa_mask);
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
	(void)sigaction(SIGHUP, &action, NULL);
}

const struct progress *progress_begin(void)
{
	static const struct progress progress = {
		.update = update,
		.stopped = is_stopped,
	};

	stop_asked = 0;
	state.on_terminal = isatty(STDERR_FILENO);
	state.begin_ns = clock_now_ns();
	set_handlers(ask_stop);
	return &progress;
}

void progress_end(void)
{
	if (state.drawn)
		(void)fprintf(stderr, "\r\033[K");
	state.drawn = false;
	set_handlers(SIG_DFL);
}
