#include "runtime/relay.h"

#include "base/cleanup.h"

#include <poll.h>
#include <sys/ioctl.h>

/* How long a user may hold the last output back with ^S. */
#define DRAIN_TIMEOUT_MS 10000

void relay_copy_size(int master)
{
	struct winsize size;

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (ioctl(fd, TIOCGWINSZ, &size) == 0) {
			/* A terminal without a size is still a terminal. */
			(void)ioctl(master, TIOCSWINSZ, &size);
			return;
		}
}

void relay_begin(struct relay *relay, int master, bool with_stdin)
{
	struct termios raw;

	relay->master = master;
	relay->raw = false;
	relay->in.from = with_stdin ? STDIN_FILENO : -1;
	relay->in.to = relay->out.from = master;
	relay->out.to = STDOUT_FILENO;
	relay->in.begin = relay->in.end = relay->out.begin = relay->out.end = 0;
	if (!with_stdin || tcgetattr(STDIN_FILENO, &relay->saved) != 0)
		return;
	raw = relay->saved;
	cfmakeraw(&raw);
	relay->raw = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
}

void relay_end(struct relay *relay)
{
	/* The terminal may have gone meanwhile; then nothing is to restore. */
	if (relay->raw)
		(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &relay->saved);
	relay->raw = false;
}

static bool is_transient(void)
{
	return errno == EINTR || errno == EAGAIN;
}

/* Moves one buffer along, as far as both sides are ready. */
static void flow_move(struct flow *f, bool can_read, bool can_write)
{
	ssize_t n;

	if (can_read && f->begin == f->end) {
		n = read(f->from, f->buf, sizeof(f->buf));
		if (n == 0 || (n < 0 && !is_transient()))
			f->from = -1;
		f->begin = 0;
		f->end = n > 0 ? (size_t)n : 0;
	}
	if (f->begin < f->end && can_write) {
		n = write(f->to, f->buf + f->begin, f->end - f->begin);
		if (n > 0)
			f->begin += (size_t)n;
		else if (n < 0 && !is_transient())
			f->to = -1;
	}
	if (f->to < 0)
		f->begin = f->end; /* nobody wants it any more */
}

/* Either reads or writes is waited for: there is one buffer. */
static void flow_poll(const struct flow *f, struct pollfd *from,
		      struct pollfd *to)
{
	bool full = f->begin < f->end;

	from->fd = full ? -1 : f->from;
	from->events = POLLIN;
	to->fd = full ? f->to : -1;
	to->events = POLLOUT;
}

static bool is_ready(const struct pollfd *p)
{
	return p->fd >= 0 && p->revents != 0;
}

int relay_move(struct relay *relay, int wake, bool *ret_woken,
	       struct img_err *err)
{
	struct pollfd p[5];

	flow_poll(&relay->in, &p[0], &p[1]);
	flow_poll(&relay->out, &p[2], &p[3]);
	p[4] = (struct pollfd){ .fd = wake, .events = POLLIN };
	if (poll(p, IMG_COUNT(p), -1) < 0 && errno != EINTR)
		return img_err_sys(err, "cannot wait for the terminal");
	flow_move(&relay->in, is_ready(&p[0]), is_ready(&p[1]));
	flow_move(&relay->out, is_ready(&p[2]), is_ready(&p[3]));
	*ret_woken = is_ready(&p[4]);
	return 0;
}

void relay_drain(struct relay *relay)
{
	struct flow *out = &relay->out;

	/* All other ends are closed: the master gives what is left, then EIO,
	 * which empties out->from. */
	while (out->to >= 0 && (out->from >= 0 || out->begin < out->end)) {
		struct pollfd p[2];

		flow_poll(out, &p[0], &p[1]);
		if (poll(p, IMG_COUNT(p), DRAIN_TIMEOUT_MS) <= 0)
			break;
		flow_move(out, is_ready(&p[0]), is_ready(&p[1]));
	}
}
