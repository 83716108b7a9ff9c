#include "cli/container_process.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"
#include "cli/event.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>

/* How long a killed container may take to be gone, and one that is just being
 * started to say which process it is. */
#define PATIENCE_MS 10000
#define STEP_MS	    5

static void nap(void)
{
	const struct timespec step = { .tv_nsec = STEP_MS * 1000000L };

	(void)nanosleep(&step, NULL); /* a signal only hurries it */
}

int container_process_open(struct store *store, const struct container_row *row,
			   int *ret_pidfd, struct img_err *err)
{
	const int64_t end = clock_steady_ms() + PATIENCE_MS;

	do {
		img_auto(img_fd_release) int pidfd = -1;
		pid_t pid = container_pid(store, row);
		int r;

		if (pid > 0)
			pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
		r = container_is_running(store, row, err);
		if (r <= 0)
			return r;
		if (pidfd >= 0) {
			*ret_pidfd = img_fd_take(&pidfd);
			return 1;
		}
		nap(); /* it begins, or ends */
	} while (clock_steady_ms() < end);
	return img_err_set(err, IMG_E_BUSY, 0,
			   "it runs, but its first process is not known");
}

int container_process_need(struct store *store, const struct container_row *row,
			   int *ret_pidfd, struct img_err *err)
{
	int r = container_process_open(store, row, ret_pidfd, err);

	if (r == 0)
		return img_err_set(err, IMG_E_NOT_FOUND, 0,
				   "it is not running");
	return r < 0 ? r : 0;
}

int container_process_signal(struct store *store,
			     const struct container_row *row, int sig,
			     struct img_err *err)
{
	img_auto(img_mem_release) char *number = mem_printf("%d", sig);

	for (bool told = false;; told = true) {
		img_auto(img_fd_release) int pidfd = -1;
		int r = container_process_open(store, row, &pidfd, err);

		if (r <= 0)
			return r;
		if (!told) /* before what may come of it */
			event_write_with(store, "kill", row, "signal", number);
		if (syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0) == 0)
			return 1;
		if (errno != ESRCH)
			return img_err_sys(err, "cannot send a signal");
		/* It ended this instant: it runs until that is written down. */
	}
}

int container_process_wait(struct store *store, const struct container_row *row,
			   int timeout_ms, struct img_err *err)
{
	const int64_t end = clock_steady_ms() + timeout_ms;
	img_auto(img_fd_release) int pidfd = -1;
	struct pollfd p;
	int r = container_process_open(store, row, &pidfd, err);

	if (r <= 0)
		return r;
	p = (struct pollfd){ .fd = pidfd, .events = POLLIN };
	r = poll(&p, 1, timeout_ms);
	if (r < 0 && errno == EINTR)
		return img_err_set(err, IMG_E_INTERRUPTED, 0, "interrupted");
	if (r < 0)
		return img_err_sys(err, "cannot wait for a process");
	/* Its supervisor has yet to write down how it ended. */
	while ((r = container_is_running(store, row, err)) > 0) {
		if (timeout_ms >= 0 && clock_steady_ms() >= end)
			return 1;
		nap();
	}
	return r;
}

int container_process_kill(struct store *store, const struct container_row *row,
			   struct img_err *err)
{
	int r = container_process_signal(store, row, SIGKILL, err);

	if (r > 0)
		r = container_process_wait(store, row, PATIENCE_MS, err);
	return r > 0 ? img_err_set(err, IMG_E_BUSY, 0, "it does not end") : r;
}
