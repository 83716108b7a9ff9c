#include "runtime/detach.h"

#include "base/cleanup.h"
#include "base/lock_order.h"
#include "base/pages.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/wait.h>

struct report {
	struct img_err err;
	pid_t container_pid;
	int exit_status;
};
_Static_assert(sizeof(struct report) <= PIPE_BUF, "one write, all or nothing");

/* Reads the report; the pipe's end without one is the monitor's death. */
static int hear(int fd, struct detach *ret, struct img_err *err)
{
	struct report report;
	ssize_t n;

	do {
		n = read(fd, &report, sizeof(report));
	} while (n < 0 && errno == EINTR);
	if (n != sizeof(report)) {
		(void)waitpid(ret->monitor_pid, NULL, 0);
		return img_err_set(err, IMG_E_INTERNAL, 0,
				   "the monitor died before the container "
				   "started");
	}
	ret->container_pid = report.container_pid;
	ret->exit_status = report.exit_status;
	if (report.err.code != IMG_OK && err->code == IMG_OK)
		*err = report.err;
	return -(int)report.err.code;
}

int detach_fork(struct detach *ret, struct img_err *err)
{
	img_auto(img_fd_release) int hearing = -1;
	img_auto(img_fd_release) int telling = -1;
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) != 0)
		return img_err_sys(err, "cannot make a pipe");
	hearing = fds[0];
	telling = fds[1];
	*ret = (struct detach){ .report_fd = -1, .client = -1 };
	lock_order_none("make a monitor process");
	pid = fork();
	if (pid < 0)
		return img_err_sys(err, "cannot make a monitor process");
	if (pid > 0) {
		ret->monitor_pid = pid;
		img_fd_release(&telling);
		return hear(hearing, ret, err);
	}
	pages_map_program();
	(void)setsid(); /* a forked process leads no group: cannot fail */
	ret->is_monitor = true;
	ret->monitor_pid = getpid();
	ret->report_fd = img_fd_take(&telling);
	return 0;
}

int detach_streams(struct img_err *err)
{
	img_auto(img_fd_release) int null =
		open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return img_err_sys(err, "cannot open /dev/null");
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (dup2(null, fd) < 0)
			return img_err_sys(err, "cannot redirect the monitor");
	return 0;
}

void detach_report(struct detach *detach, pid_t container_pid, int exit_status,
		   const struct img_err *err)
{
	struct report report = { .err = *err,
				 .container_pid = container_pid,
				 .exit_status = exit_status };

	/* A command that was killed meanwhile needs no answer, and its end of
	 * the pipe is gone: SIGPIPE must not take the monitor along. */
	(void)signal(SIGPIPE, SIG_IGN);
	if (write(detach->report_fd, &report, sizeof(report)) < 0)
		errno = 0;
	img_fd_release(&detach->report_fd);
}
