#include "runtime/wake.h"

#include "base/cleanup.h"

#include <sys/epoll.h>
#include <sys/timerfd.h>

static int add(const struct wake *wake, int fd, struct img_err *err)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	if (epoll_ctl(wake->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		return img_err_sys(err, "cannot wait for several things");
	return 0;
}

/* The first look comes late: most containers are gone by then. */
static int start_timer(struct wake *wake, struct img_err *err)
{
	struct itimerspec when = {
		.it_value = { .tv_sec = wake->watch->first_ms / 1000,
			      .tv_nsec =
				      wake->watch->first_ms % 1000 * 1000000L },
	};

	wake->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	if (wake->timer < 0 || timerfd_settime(wake->timer, 0, &when, NULL) < 0)
		return img_err_sys(err, "cannot set a timer");
	return add(wake, wake->timer, err);
}

int wake_init(struct wake *wake, int signals, struct container_watch *watch,
	      struct img_err *err)
{
	int r;

	*wake = (struct wake){ .fd = signals,
			       .signals = signals,
			       .epoll = -1,
			       .timer = -1,
			       .watch = watch };
	if (!watch)
		return 0;
	wake->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (wake->epoll < 0)
		return img_err_sys(err, "cannot wait for several things");
	wake->fd = wake->epoll;
	r = add(wake, signals, err);
	return r < 0 ? r : start_timer(wake, err);
}

void wake_release(struct wake *wake)
{
	img_fd_release(&wake->timer);
	img_fd_release(&wake->epoll);
}

static int first_look(struct wake *wake, struct img_err *err)
{
	img_fd_release(&wake->timer);
	wake->watch->fn(wake->watch);
	return wake->watch->fd < 0 ? 0 : add(wake, wake->watch->fd, err);
}

int wake_look(struct wake *wake, struct img_err *err)
{
	struct epoll_event event;
	int n;

	if (!wake->watch)
		return 1;
	n = epoll_wait(wake->epoll, &event, 1, -1);
	if (n < 0 && errno != EINTR)
		return img_err_sys(err, "cannot wait for several things");
	if (n <= 0)
		return 0;
	if (event.data.fd == wake->signals)
		return 1;
	if (event.data.fd == wake->timer)
		return first_look(wake, err);
	wake->watch->fn(wake->watch);
	return 0;
}
