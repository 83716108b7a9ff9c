#include "machine/keeper.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "machine/kernel.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

/* How long leftovers may take to die before the keeper gives up on them. */
#define REAP_STEPS   200
#define REAP_STEP_MS 10

static int open_pipe(int *ret_read, int *ret_write)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	*ret_read = ends[0];
	*ret_write = ends[1];
	return 0;
}

static void set_mask(int how, int signo)
{
	sigset_t mask;

	(void)sigemptyset(&mask);
	if (signo)
		(void)sigaddset(&mask, signo);
	(void)sigprocmask(how, &mask, NULL);
}

/* Moves a descriptor out of the way of the low, agreed numbers. */
static int above(int fd)
{
	return fcntl(fd, F_DUPFD, 16);
}

static void __attribute__((noreturn))
become_kernel(const struct keeper_options *options, pid_t keeper)
{
	int line = above(options->line_fd), memory = above(options->memory_fd);
	int state = above(options->state_fd);
	int console = above(options->console_fd);
	struct rlimit none = { 0, 0 };
	char text[128];
	int n;

	(void)setsid();
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != keeper)
		_exit(1);
	(void)setrlimit(RLIMIT_CORE, &none); /* a panic aborts */
	(void)signal(SIGPIPE, SIG_DFL);
	set_mask(SIG_SETMASK, 0);
	if (dup2(console, 1) < 0 || dup2(console, 2) < 0 ||
	    dup2(line, KERNEL_FD_LINE) < 0 ||
	    dup2(memory, KERNEL_FD_MEMORY) < 0 ||
	    dup2(state, KERNEL_FD_STATE) < 0)
		_exit(1);
	(void)close_range(KERNEL_FD_STATE + 1, ~0u, 0);
	execve(options->argv[0], options->argv, options->env);
	n = snprintf(text, sizeof(text), "it cannot be executed: %s\n",
		     strerror(errno));
	(void)!write(2, text, (size_t)n); /* the console: nobody else to tell */
	_exit(1);
}

/* Kills what is left of the machine, until there is no child. */
static void bury(pid_t machine)
{
	for (int i = 0; i < REAP_STEPS; i++) {
		pid_t pid;

		(void)kill(-machine, SIGKILL);
		while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
			;
		if (pid < 0 && errno == ECHILD)
			return;
		(void)poll(NULL, 0, REAP_STEP_MS);
	}
}

/* Until the machine ended, or the parent's end of the pipe is closed. */
static void watch(pid_t machine, int life_fd, int child_fd)
{
	struct pollfd polled[] = {
		{ .fd = life_fd, .events = POLLIN },
		{ .fd = child_fd, .events = POLLIN },
	};
	struct signalfd_siginfo info;

	for (;;) {
		if (poll(polled, IMG_COUNT(polled), -1) < 0)
			continue;
		if (polled[0].revents)
			return;
		(void)!read(child_fd, &info, sizeof(info)); /* only wakes us */
		for (pid_t pid; (pid = waitpid(-1, NULL, WNOHANG)) > 0;)
			if (pid == machine)
				return;
	}
}

static void __attribute__((noreturn))
keep(const struct keeper_options *options, int life_fd, int born_fd)
{
	struct img_err err = { 0 };
	sigset_t mask;
	pid_t machine, self = getpid();
	int child_fd, null_fd;

	(void)setsid();
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; fd < 3; fd++)
		(void)dup2(null_fd, fd);
	(void)sigfillset(&mask); /* nothing but the pipe ends a keeper */
	(void)sigprocmask(SIG_SETMASK, &mask, NULL);
	(void)sigemptyset(&mask);
	(void)sigaddset(&mask, SIGCHLD);
	machine = fork();
	if (machine == 0)
		become_kernel(options, self);
	(void)!write(born_fd, &machine, sizeof(machine)); /* or EOF says it */
	life_fd = dup2(life_fd, 3);
	(void)close_range(4, ~0u, 0);
	child_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (machine > 0) {
		watch(machine, life_fd, child_fd);
		bury(machine);
	}
	(void)!file_remove_tree(AT_FDCWD, options->dir, &err);
	_exit(0); /* a directory that stays is all that can be wrong here */
}

int keeper_start(const struct keeper_options *options, struct keeper *ret,
		 struct img_err *err)
{
	img_auto(img_fd_release) int life_theirs = -1;
	img_auto(img_fd_release) int life_ours = -1;
	img_auto(img_fd_release) int born_theirs = -1;
	img_auto(img_fd_release) int born_ours = -1;
	struct keeper keeper = { .life_fd = -1 };

	if (open_pipe(&life_theirs, &life_ours) < 0 ||
	    open_pipe(&born_ours, &born_theirs) < 0)
		return img_err_sys(err, "cannot make a pipe");
	keeper.pid = fork();
	if (keeper.pid < 0)
		return img_err_sys(err, "cannot start the machine");
	if (keeper.pid == 0) {
		img_fd_release(&life_ours);
		keep(options, life_theirs, born_theirs);
	}
	img_fd_release(&born_theirs);
	/* a keeper that cannot start it ends, as any machine does */
	(void)!read(born_ours, &keeper.machine, sizeof(keeper.machine));
	keeper.dir = mem_strdup(options->dir);
	keeper.life_fd = img_fd_take(&life_ours);
	*ret = keeper;
	return 0;
}

void keeper_kill(struct keeper *keeper)
{
	img_fd_release(&keeper->life_fd);
}

/* The keeper ended with this status: if it was killed, does its work. */
static void take_over(struct keeper *keeper, int status)
{
	struct img_err ignored = { 0 };

	keeper->pid = 0;
	if (!WIFSIGNALED(status))
		return;
	if (keeper->machine > 0)
		(void)kill(-keeper->machine, SIGKILL);
	(void)!file_remove_tree(AT_FDCWD, keeper->dir, &ignored);
}

bool keeper_is_gone(struct keeper *keeper)
{
	int status;

	if (keeper->pid && waitpid(keeper->pid, &status, WNOHANG) > 0)
		take_over(keeper, status);
	return !keeper->pid;
}

void keeper_release(struct keeper *keeper)
{
	int status = 0;

	keeper_kill(keeper);
	if (keeper->pid) {
		while (waitpid(keeper->pid, &status, 0) < 0 && errno == EINTR)
			;
		take_over(keeper, status);
	}
	img_mem_release(&keeper->dir);
}
