#include "runtime/attach.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "runtime/signals.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>

struct session {
	const struct attach_options *options;
	int socket;
	bool reading;  /* stdin, still */
	bool tell_end; /* that it is no more */
	bool leaving;  /* once all is told */
	bool raw;
	struct termios saved;
	size_t n_matched; /* of the detach keys */
	bool ended;
	int status;
	size_t n_input; /* what is to be told */
	char input[1 + 4096 + ATTACH_KEYS_MAX];
	char packet[ATTACH_PACKET_MAX];
};

/* A socket's address is short: the directory is opened, and named by its
 * descriptor. */
static int address(const char *path, struct sockaddr_un *ret, int *ret_dir,
		   struct img_err *err)
{
	const char *slash = strrchr(path, '/');
	img_auto(img_mem_release) char *dir = mem_strdup(path);

	dir[slash - path] = '\0';
	*ret_dir = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*ret_dir < 0)
		return img_err_sys(err, "cannot open %s", dir);
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	(void)snprintf(ret->sun_path, sizeof(ret->sun_path),
		       "/proc/self/fd/%d/%s", *ret_dir, slash + 1);
	return 0;
}

static int make_socket(struct img_err *err)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	return fd < 0 ? img_err_sys(err, "cannot make a socket") : fd;
}

int attach_listen(const char *path, int *ret, struct img_err *err)
{
	img_auto(img_fd_release) int fd = make_socket(err);
	img_auto(img_fd_release) int dir = -1;
	struct sockaddr_un at;
	mode_t mask;
	int r = fd < 0 ? fd : address(path, &at, &dir, err);

	if (r < 0)
		return r;
	(void)unlink(path);
	mask = umask(0177);
	r = bind(fd, (const struct sockaddr *)&at, sizeof(at));
	(void)umask(mask);
	if (r != 0 || listen(fd, 16) != 0)
		return img_err_sys(err, "cannot listen at %s", path);
	*ret = img_fd_take(&fd);
	return 0;
}

int attach_connect(const char *path, int *ret, struct img_err *err)
{
	img_auto(img_fd_release) int fd = make_socket(err);
	img_auto(img_fd_release) int dir = -1;
	struct sockaddr_un at;
	int r = fd < 0 ? fd : address(path, &at, &dir, err);

	if (r < 0)
		return r;
	if (connect(fd, (const struct sockaddr *)&at, sizeof(at)) != 0)
		return errno == ENOENT || errno == ECONNREFUSED
			       ? img_err_set(err, IMG_E_NOT_FOUND, 0,
					     "nobody listens")
			       : img_err_sys(err, "cannot attach");
	*ret = img_fd_take(&fd);
	return 0;
}

/* Sends what waits to be told, if there is room for it: who waited here might
 * wait for one who waits for him. */
static void tell_input(struct session *s)
{
	const char end = ATTACH_INPUT_END;

	if (s->n_input > 0) {
		s->input[0] = ATTACH_INPUT;
		if (send(s->socket, s->input, 1 + s->n_input,
			 MSG_NOSIGNAL | MSG_DONTWAIT) < 0 &&
		    (errno == EAGAIN || errno == EINTR))
			return;
		s->n_input = 0; /* or the monitor is gone: recv says so */
	}
	if (s->tell_end &&
	    (send(s->socket, &end, 1, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0 ||
	     (errno != EAGAIN && errno != EINTR)))
		s->tell_end = false;
}

static void tell_size(struct session *s)
{
	struct winsize size;

	for (int fd = STDIN_FILENO; s->options->tty && fd <= STDERR_FILENO;
	     fd++)
		if (ioctl(fd, TIOCGWINSZ, &size) == 0) {
			const struct attach_size told = {
				.rows = size.ws_row,
				.columns = size.ws_col,
			};
			char packet[1 + sizeof(told)] = { ATTACH_SIZE };

			memcpy(packet + 1, &told, sizeof(told));
			/* Nothing is lost but the size. */
			(void)send(s->socket, packet, sizeof(packet),
				   MSG_NOSIGNAL | MSG_DONTWAIT);
			return;
		}
}

/*
 * Passes on what was typed, less the detach keys: what may be the beginning of
 * them waits for the next key.
 */
static void pass_keys(struct session *s, const char *typed, size_t n)
{
	const char *keys = s->options->detach_keys;
	char *out = s->input + 1;

	for (size_t i = 0; i < n && !s->leaving; i++) {
		while (s->n_matched > 0 && typed[i] != keys[s->n_matched]) {
			/* The longest beginning that still matches. */
			const size_t had = s->n_matched;
			size_t keep = had - 1;

			while (keep > 0 &&
			       memcmp(keys, keys + had - keep, keep) != 0)
				keep--;
			memcpy(out + s->n_input, keys, had - keep);
			s->n_input += had - keep;
			s->n_matched = keep;
		}
		if (typed[i] == keys[s->n_matched])
			s->n_matched++;
		else
			out[s->n_input++] = typed[i];
		s->leaving = s->n_matched == s->options->n_detach_keys;
	}
}

static void move_input(struct session *s)
{
	char typed[4096];
	ssize_t n = read(STDIN_FILENO, typed, sizeof(typed));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		s->reading = false;
		s->tell_end = true;
	} else if (s->options->n_detach_keys) {
		pass_keys(s, typed, (size_t)n);
	} else {
		memcpy(s->input + 1, typed, (size_t)n);
		s->n_input = (size_t)n;
	}
	tell_input(s);
}

static void print(int fd, bool wanted, const char *text, size_t n)
{
	struct img_err dropped = { 0 }; /* as a relay without a reader does */

	if (wanted)
		IMG_IGNORE(file_write(fd, text, n, "the output", &dropped));
}

/* False at the end of the connection. */
static bool hear(struct session *s)
{
	const struct attach_options *o = s->options;
	ssize_t n = recv(s->socket, s->packet, sizeof(s->packet), 0);

	if (n < 0 && errno == EINTR)
		return true;
	if (n <= 0)
		return false;
	if (s->packet[0] == ATTACH_STDOUT)
		print(STDOUT_FILENO, o->with_stdout, s->packet + 1,
		      (size_t)n - 1);
	else if (s->packet[0] == ATTACH_STDERR)
		print(STDERR_FILENO, o->with_stderr, s->packet + 1,
		      (size_t)n - 1);
	else if (s->packet[0] == ATTACH_STATUS && n == 2) {
		s->ended = true;
		s->status = (unsigned char)s->packet[1];
	}
	return true;
}

static void handle_signal(struct session *s, int signals)
{
	struct signalfd_siginfo info;

	if (read(signals, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGWINCH)
		tell_size(s);
	else if (info.ssi_signo != SIGCHLD)
		/* It may have ended this instant. */
		(void)pidfd_send_signal(s->options->pidfd, (int)info.ssi_signo,
					NULL, 0);
}

static int carry(struct session *s, int signals, enum attach_end *ret,
		 struct img_err *err)
{
	tell_size(s);
	for (;;) {
		const bool telling = s->n_input > 0 || s->tell_end;
		struct pollfd p[] = {
			{ .fd = s->socket,
			  .events = POLLIN | (telling ? POLLOUT : 0) },
			{ .fd = s->reading && !telling && !s->ended
					? STDIN_FILENO
					: -1,
			  .events = POLLIN },
			{ .fd = signals, .events = POLLIN },
		};

		if (s->leaving && !telling) {
			*ret = ATTACH_DETACHED;
			return 0;
		}
		if (poll(p, IMG_COUNT(p), -1) < 0 && errno != EINTR)
			return img_err_sys(err,
					   "cannot wait for the container");
		if (p[2].revents)
			handle_signal(s, signals);
		if ((p[0].revents & ~POLLOUT) && !hear(s)) {
			*ret = s->ended ? ATTACH_ENDED : ATTACH_LOST;
			return 0;
		}
		if (p[0].revents & POLLOUT)
			tell_input(s);
		if (p[1].revents)
			move_input(s);
	}
}

static void go_raw(struct session *s)
{
	struct termios raw;

	if (!s->options->tty || !s->options->with_stdin ||
	    tcgetattr(STDIN_FILENO, &s->saved) != 0)
		return;
	raw = s->saved;
	cfmakeraw(&raw);
	s->raw = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
}

int attach_run(int socket, const struct attach_options *options,
	       enum attach_end *ret, int *ret_status, struct img_err *err)
{
	img_auto(img_mem_release) struct session *s = mem_zalloc(sizeof(*s));
	img_auto(img_fd_release) int signals = -1;
	sigset_t set, old;
	int r;

	*s = (struct session){ .options = options,
			       .socket = socket,
			       .reading = options->with_stdin };
	signals_supervised(&set);
	if (!options->forward_signals) {
		sigemptyset(&set);
		sigaddset(&set, SIGWINCH);
	}
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	if (signals < 0)
		return img_err_sys(err, "cannot receive signals");
	(void)sigprocmask(SIG_BLOCK, &set, &old);
	go_raw(s);
	r = carry(s, signals, ret, err);
	/* The terminal may have gone meanwhile; then nothing is to restore. */
	if (s->raw)
		(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &s->saved);
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	*ret_status = s->status;
	return r;
}
