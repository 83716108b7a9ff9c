/*
 * The supervisor's loop.
 *
 * Every signal arrives as a record of a signalfd, so nothing is done inside a
 * handler and nothing can slip between a test and a sleep.
 */
#include "runtime/container.h"

#include "base/cleanup.h"
#include "runtime/cgroup_state.h"
#include "runtime/relay.h"
#include "runtime/signals.h"
#include "runtime/supervise.h"

#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

/* 1 and the status if the container has ended, else 0. */
static int reap(struct container *c, int *ret_status, struct img_err *err)
{
	siginfo_t info = { 0 };

	if (waitid(P_PIDFD, (id_t)c->pidfd, &info, WEXITED | WNOHANG) != 0)
		return img_err_sys(err, "cannot wait for process %d", c->pid);
	if (info.si_pid == 0)
		return 0;
	*ret_status = container_status(info.si_code, info.si_status);
	return 1;
}

/* 1 when the signal was the end of the container. */
static int handle_signal(struct container *c, int signals, int *ret_status,
			 struct img_err *err)
{
	struct signalfd_siginfo info;
	ssize_t n = read(signals, &info, sizeof(info));

	if (n < 0 && errno == EINTR)
		return 0;
	if (n != sizeof(info))
		return img_err_sys(err, "cannot read signals");
	if (info.ssi_signo == SIGCHLD)
		return reap(c, ret_status, err);
	if (info.ssi_signo == SIGWINCH) {
		if (c->terminal >= 0)
			relay_copy_size(c->terminal);
		return 0;
	}
	/* It may have ended this instant: the next SIGCHLD tells. */
	(void)pidfd_send_signal(c->pidfd, (int)info.ssi_signo, NULL, 0);
	return 0;
}

int supervision_begin(struct supervision *s, struct container *container,
		      struct img_err *err)
{
	sigset_t set;

	*s = (struct supervision){
		.container = container,
		.signals = -1,
		.wake = { .epoll = -1, .timer = -1 },
	};
	signals_supervised(&set);
	s->signals = signalfd(-1, &set, SFD_CLOEXEC);
	if (s->signals < 0)
		return img_err_sys(err, "cannot receive signals");
	return wake_init(&s->wake, s->signals, container->watch, err);
}

int supervision_event(struct supervision *s, int *ret_status,
		      struct img_err *err)
{
	int r = wake_look(&s->wake, err);

	return r <= 0 ? r
		      : handle_signal(s->container, s->signals, ret_status,
				      err);
}

int supervision_end(struct supervision *s, int r)
{
	struct container *c = s->container;

	wake_release(&s->wake);
	img_fd_release(&s->signals);
	if (r < 0) {
		(void)pidfd_send_signal(c->pidfd, SIGKILL, NULL, 0);
		(void)waitid(P_PIDFD, (id_t)c->pidfd, &(siginfo_t){ 0 },
			     WEXITED);
	}
	c->oom_kills = c->cgroup.dir < 0 ? 0 : cgroup_oom_kills(c->cgroup.dir);
	cgroup_end(&c->cgroup);
	img_fd_release(&c->pidfd);
	img_fd_release(&c->terminal);
	(void)sigprocmask(SIG_SETMASK, &c->old_mask, NULL);
	return r < 0 ? r : 0;
}

static int wait_plain(struct supervision *s, int *ret_status,
		      struct img_err *err)
{
	int r;

	while ((r = supervision_event(s, ret_status, err)) == 0)
		;
	return r;
}

static int wait_terminal(struct supervision *s, int *ret_status,
			 struct img_err *err)
{
	struct relay relay;
	bool woken;
	int r;

	relay_begin(&relay, s->container->terminal, s->container->interactive);
	do {
		r = relay_move(&relay, s->wake.fd, &woken, err);
		if (r == 0 && woken)
			r = supervision_event(s, ret_status, err);
	} while (r == 0);
	if (r > 0)
		relay_drain(&relay);
	relay_end(&relay);
	signals_drop_pipe();
	return r;
}

int container_wait(struct container *c, int *ret_status, struct img_err *err)
{
	struct supervision s;
	int r = supervision_begin(&s, c, err);

	if (r == 0)
		r = c->terminal < 0 ? wait_plain(&s, ret_status, err)
				    : wait_terminal(&s, ret_status, err);
	return supervision_end(&s, r);
}
