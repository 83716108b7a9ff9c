#include "runtime/monitor.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "runtime/attach.h"
#include "runtime/detach.h"
#include "runtime/supervise.h"

#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define CLIENTS_MAX 16

/* How long who is attached may hold the last output back, and how soon a
 * terminal that everybody closed is looked at again. */
#define DRAIN_TIMEOUT_MS 10000
#define HUNG_LOOK_MS	 200

struct client {
	int fd;
	bool behind; /* the packet has yet to be sent to it */
};

struct monitor {
	struct log *log;
	char *socket_path;
	bool stdin_once;
	int listening;
	int out[2]; /* indexed by enum log_stream */
	int in;
	bool hung; /* out[0] is a terminal that nobody has open */
	struct client clients[CLIENTS_MAX];
	size_t n_clients;
	size_t n_input, n_written; /* what is to go in, and of that went */
	char input[ATTACH_PACKET_MAX];
	size_t n_packet;
	char packet[ATTACH_PACKET_MAX];
};

/* In the order of the array that is polled. */
enum { P_WAKE, P_OUT, P_ERR, P_IN, P_LISTEN, P_CLIENTS };

/* @mode: of a pipe's inode: only who may look into one of its holders can
 * reach it, by /proc, and who is another user there may still want to write to
 * "/dev/stdout". */
static int make_pipe(int ours, mode_t mode, int *ret_ours, int theirs,
		     struct img_err *err)
{
	img_auto(img_fd_release) int mine = -1;
	img_auto(img_fd_release) int other = -1;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) != 0)
		return img_err_sys(err, "cannot make a pipe");
	mine = fds[ours];
	other = fds[!ours];
	if (fcntl(mine, F_SETFL, O_NONBLOCK) != 0 || fchmod(mine, mode) != 0 ||
	    dup2(other, theirs) < 0)
		return img_err_sys(err, "cannot redirect the monitor");
	*ret_ours = img_fd_take(&mine);
	return 0;
}

static int open_streams(struct monitor *m, const struct monitor_options *o,
			struct img_err *err)
{
	int r = o->tty ? 0 : detach_streams(err);

	if (r < 0 || o->tty)
		return r;
	if (o->interactive)
		r = make_pipe(1, 0644, &m->in, STDIN_FILENO, err);
	if (r == 0)
		r = make_pipe(0, 0622, &m->out[LOG_STDOUT], STDOUT_FILENO, err);
	if (r == 0)
		r = make_pipe(0, 0622, &m->out[LOG_STDERR], STDERR_FILENO, err);
	return r;
}

static void add_client(struct monitor *m, int fd)
{
	if (m->n_clients < CLIENTS_MAX)
		m->clients[m->n_clients++] = (struct client){ .fd = fd };
	else
		(void)close(fd);
}

int monitor_open(const struct monitor_options *o, struct monitor **ret,
		 struct img_err *err)
{
	struct monitor *m = mem_zalloc(sizeof(*m));
	int r = 0;

	m->listening = m->in = m->out[0] = m->out[1] = -1;
	m->stdin_once = o->stdin_once;
	m->socket_path = mem_strdup(o->socket_path);
	if (o->client >= 0)
		add_client(m, o->client);
	if (o->log_path)
		r = log_open(o->log_path, &o->limits, &m->log, err);
	if (r == 0)
		r = attach_listen(m->socket_path, &m->listening, err);
	if (r == 0)
		r = open_streams(m, o, err);
	if (r == 0)
		*ret = m;
	else
		monitor_close(&m);
	return r;
}

void monitor_close(struct monitor **slot)
{
	struct monitor *m = *slot;
	int saved = errno;

	if (!m)
		return;
	log_close(&m->log);
	if (m->listening >= 0)
		(void)unlink(m->socket_path);
	img_fd_release(&m->listening);
	if (m->in != m->out[LOG_STDOUT]) /* else a terminal */
		img_fd_release(&m->in);
	for (int i = LOG_STDOUT; i <= LOG_STDERR; i++)
		img_fd_release(&m->out[i]);
	free(m->socket_path);
	free(m);
	*slot = NULL;
	errno = saved;
}

static void drop_client(struct monitor *m, size_t i)
{
	(void)close(m->clients[i].fd);
	m->clients[i] = m->clients[--m->n_clients];
}

static bool anyone_behind(const struct monitor *m)
{
	for (size_t i = 0; i < m->n_clients; i++)
		if (m->clients[i].behind)
			return true;
	return false;
}

/* Sends the packet to those who have yet to get it. */
static void send_packet(struct monitor *m)
{
	for (size_t i = 0; i < m->n_clients;) {
		struct client *c = &m->clients[i];
		ssize_t n = 0;

		if (c->behind)
			n = send(c->fd, m->packet, m->n_packet,
				 MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN && errno != EINTR) {
			drop_client(m, i);
			continue;
		}
		c->behind = n < 0;
		i++;
	}
}

static void begin_packet(struct monitor *m, enum attach_kind kind, size_t n)
{
	m->packet[0] = (char)kind;
	m->n_packet = 1 + n;
	for (size_t i = 0; i < m->n_clients; i++)
		m->clients[i].behind = true;
	send_packet(m);
}

/* Reads once from a stream: false when there was nothing, or never again. */
static bool read_stream(struct monitor *m, enum log_stream which)
{
	int fd = m->out[which];
	ssize_t n = fd < 0 ? -1 : read(fd, m->packet + 1, ATTACH_DATA_MAX);

	if (fd < 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return false;
	if (n < 0 && errno == EIO) {
		m->hung = true;
		return false;
	}
	if (n <= 0) {
		if (m->in == fd)
			m->in = -1;
		img_fd_release(&m->out[which]);
		return false;
	}
	if (m->log)
		log_write(m->log, which, m->packet + 1, (size_t)n);
	begin_packet(m, which == LOG_STDOUT ? ATTACH_STDOUT : ATTACH_STDERR,
		     (size_t)n);
	return true;
}

static void write_input(struct monitor *m)
{
	ssize_t n;

	if (m->in < 0)
		m->n_input = 0;
	if (m->n_input == 0)
		return;
	n = write(m->in, m->input + 1 + m->n_written,
		  m->n_input - m->n_written);
	if (n > 0)
		m->n_written += (size_t)n;
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		m->n_written = m->n_input; /* nobody reads any more */
	if (m->n_written == m->n_input)
		m->n_input = m->n_written = 0;
}

static void end_input(struct monitor *m)
{
	/* A terminal does not end: its other keys are still somebody's. */
	if (m->stdin_once && m->in != m->out[LOG_STDOUT])
		img_fd_release(&m->in);
}

static void set_size(struct monitor *m, struct attach_size size)
{
	const struct winsize window = { .ws_row = size.rows,
					.ws_col = size.columns };

	/* Without a terminal there is nothing to do. */
	if (m->out[LOG_STDOUT] >= 0)
		(void)ioctl(m->out[LOG_STDOUT], TIOCSWINSZ, &window);
}

/* False when the client is gone. */
static bool hear_client(struct monitor *m, size_t i)
{
	ssize_t n = recv(m->clients[i].fd, m->input, sizeof(m->input),
			 MSG_DONTWAIT);
	struct attach_size size;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n <= 0)
		return false;
	switch (m->input[0]) {
	case ATTACH_INPUT:
		m->n_input = (size_t)n - 1;
		m->n_written = 0;
		write_input(m);
		break;
	case ATTACH_INPUT_END:
		end_input(m);
		break;
	case ATTACH_SIZE:
		if ((size_t)n == 1 + sizeof(size)) {
			memcpy(&size, m->input + 1, sizeof(size));
			set_size(m, size);
		}
		break;
	}
	return true;
}

static void accept_client(struct monitor *m)
{
	int fd = accept4(m->listening, NULL, NULL, SOCK_CLOEXEC);

	if (fd >= 0)
		add_client(m, fd);
}

static void poll_for(struct pollfd *p, int fd, int events)
{
	/* A pipe without other ends is always ready: not asked for, not
	 * polled. */
	*p = (struct pollfd){ .fd = events ? fd : -1, .events = (short)events };
}

static size_t set_polls(const struct monitor *m, int wake, struct pollfd *p)
{
	const bool behind = anyone_behind(m);

	poll_for(&p[P_WAKE], wake, POLLIN);
	poll_for(&p[P_OUT], m->out[LOG_STDOUT], behind || m->hung ? 0 : POLLIN);
	poll_for(&p[P_ERR], m->out[LOG_STDERR], behind ? 0 : POLLIN);
	poll_for(&p[P_IN], m->in, m->n_input > 0 ? POLLOUT : 0);
	poll_for(&p[P_LISTEN], m->listening, POLLIN);
	for (size_t i = 0; i < m->n_clients; i++)
		poll_for(&p[P_CLIENTS + i], m->clients[i].fd,
			 (m->n_input > 0 ? 0 : POLLIN) |
				 (m->clients[i].behind ? POLLOUT : 0));
	return P_CLIENTS + m->n_clients;
}

/* Moves what can be moved; *ret_woken when wake.fd is readable. */
static int move(struct monitor *m, int wake, bool *ret_woken,
		struct img_err *err)
{
	struct pollfd p[P_CLIENTS + CLIENTS_MAX];
	size_t n = set_polls(m, wake, p);
	int r = poll(p, n, m->hung ? HUNG_LOOK_MS : -1);

	if (r < 0 && errno != EINTR)
		return img_err_sys(err, "cannot wait for the container");
	*ret_woken = r > 0 && p[P_WAKE].revents;
	m->hung = false;
	if (r <= 0)
		return 0;
	/* From the last on: one that goes leaves its place to the last. */
	for (size_t i = n - P_CLIENTS; i-- > 0;)
		if ((p[P_CLIENTS + i].revents & ~POLLOUT) && m->n_input == 0 &&
		    !hear_client(m, i))
			drop_client(m, i);
	send_packet(m);
	if (p[P_IN].revents)
		write_input(m);
	for (int i = LOG_STDOUT; i <= LOG_STDERR; i++)
		if (p[P_OUT + i].revents && !anyone_behind(m))
			(void)read_stream(m, (enum log_stream)i);
	if (p[P_LISTEN].revents)
		accept_client(m);
	return 0;
}

/* Until all have the packet, or have had their time. */
static void send_whole(struct monitor *m)
{
	while (anyone_behind(m)) {
		struct pollfd p[CLIENTS_MAX];

		for (size_t i = 0; i < m->n_clients; i++)
			poll_for(&p[i], m->clients[i].fd,
				 m->clients[i].behind ? POLLOUT : 0);
		if (poll(p, m->n_clients, DRAIN_TIMEOUT_MS) == 0)
			break;
		send_packet(m);
	}
	for (size_t i = m->n_clients; i-- > 0;)
		if (m->clients[i].behind)
			drop_client(m, i);
}

/* What a dead container still had to say, and how it ended. */
static void finish(struct monitor *m, int status)
{
	send_whole(m);
	for (int i = LOG_STDOUT; i <= LOG_STDERR; i++)
		while (read_stream(m, (enum log_stream)i))
			send_whole(m);
	m->packet[1] = (char)status;
	begin_packet(m, ATTACH_STATUS, 1);
	send_whole(m);
}

int monitor_wait(struct monitor *m, struct container *c, int *ret_status,
		 struct img_err *err)
{
	struct supervision s;
	bool woken;
	int r = supervision_begin(&s, c, err);

	if (c->terminal >= 0) {
		m->out[LOG_STDOUT] = img_fd_take(&c->terminal);
		m->in = m->out[LOG_STDOUT];
		if (!c->interactive)
			m->in = -1;
	}
	(void)malloc_trim(0); /* what the start needed and this does not */
	while (r == 0) {
		r = move(m, s.wake.fd, &woken, err);
		if (r == 0 && woken)
			r = supervision_event(&s, ret_status, err);
	}
	if (r > 0)
		finish(m, *ret_status);
	return supervision_end(&s, r);
}
