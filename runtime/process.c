#include "runtime/process.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>

#define STAT_START_FIELD 22

bool process_parse_stat(const char *line, char *ret_state,
			uint64_t *ret_start_ticks)
{
	const char *at = strrchr(line, ')');
	char end;

	if (!at || at[1] != ' ' || !at[2])
		return false;
	*ret_state = at[2]; /* field 3 */
	at += 2;
	for (int field = 3; field < STAT_START_FIELD; field++) {
		at = strchr(at, ' ');
		if (!at)
			return false;
		at++;
	}
	return sscanf(at, "%" SCNu64 "%c", ret_start_ticks, &end) == 2;
}

/* Start time of a live process; false if there is none. */
static bool start_of(pid_t pid, uint64_t *ret_start_ticks)
{
	img_auto(img_fd_release) int fd = -1;
	char path[32], line[1024], state;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, line, sizeof(line) - 1);
	if (n <= 0)
		return false;
	line[n] = '\0';
	return process_parse_stat(line, &state, ret_start_ticks) &&
	       state != 'Z' && state != 'X';
}

static int gone(pid_t pid, struct img_err *err)
{
	return img_err_set(err, IMG_E_NOT_FOUND, 0, "process %d is gone", pid);
}

int process_identify(pid_t pid, struct process *ret, struct img_err *err)
{
	uint64_t start_ticks;

	if (pid <= 0 || !start_of(pid, &start_ticks))
		return gone(pid, err);
	*ret = (struct process){ .pid = pid, .start_ticks = start_ticks };
	return 0;
}

bool process_is_alive(const struct process *process)
{
	uint64_t start_ticks;

	return process->pid > 0 && start_of(process->pid, &start_ticks) &&
	       start_ticks == process->start_ticks;
}

/* A pidfd of that very process: opened first, then compared, so that the
 * number cannot change hands in between.  -1 if it is gone. */
static int open_process(const struct process *process)
{
	img_auto(img_fd_release) int fd = -1;

	if (process->pid <= 0)
		return -1;
	fd = pidfd_open(process->pid, 0);
	if (fd < 0 || !process_is_alive(process))
		return -1;
	return img_fd_take(&fd);
}

int process_kill(const struct process *process, int sig, struct img_err *err)
{
	img_auto(img_fd_release) int fd = -1;

	fd = open_process(process);
	if (fd < 0)
		return gone(process->pid, err);
	if (pidfd_send_signal(fd, sig, NULL, 0) != 0)
		return errno == ESRCH
			       ? gone(process->pid, err)
			       : img_err_sys(err,
					     "cannot send signal %d to process "
					     "%d",
					     sig, process->pid);
	return 0;
}

int process_wait(const struct process *process, int timeout_ms,
		 struct img_err *err)
{
	img_auto(img_fd_release) int fd = -1;
	struct pollfd p;
	int r;

	fd = open_process(process);
	if (fd < 0)
		return 0;
	p = (struct pollfd){ .fd = fd, .events = POLLIN };
	do {
		r = poll(&p, 1, timeout_ms);
	} while (r < 0 && errno == EINTR);
	if (r < 0)
		return img_err_sys(err, "cannot wait for process %d",
				   process->pid);
	if (r == 0)
		return img_err_set(err, IMG_E_BUSY, 0,
				   "process %d still runs after %d ms",
				   process->pid, timeout_ms);
	return 0;
}
