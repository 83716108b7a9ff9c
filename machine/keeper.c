#include "machine/keeper.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "machine/kernel.h"
#include "machine/processor.h"

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
#define REAP_STEPS   2000
#define REAP_STEP_MS 1

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
become_kernel(const struct keeper_options *options, const char *dir,
	      pid_t keeper)
{
	const struct kernel_command command = {
		.kernel = options->kernel,
		.dir = dir,
		.mem_bytes = options->mem_bytes,
		.verbose = options->verbose,
	};
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
	execve(options->kernel, kernel_argv(&command), kernel_env(&command));
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

/* The kernel's command line has no quotes: only plain names will do. */
static bool is_plain(const char *path)
{
	return path && path[0] == '/' && strlen(path) < KEEPER_DIR_MAX / 2 &&
	       path[strspn(path, "abcdefghijklmnopqrstuvwxyz"
				 "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "0123456789/._-")] == '\0';
}

static int link_in(const char *dir, const char *name, const char *target,
		   struct img_err *err)
{
	img_auto(img_mem_release) char *path = mem_printf("%s/%s", dir, name);

	if (symlink(target, path) < 0)
		return img_err_sys(err, "cannot make %s", path);
	return 0;
}

/* Fills @dir; "" where there is none. */
static int make_dir(const struct keeper_options *options,
		    char dir[KEEPER_DIR_MAX], struct img_err *err)
{
	const char *parent = getenv("TMPDIR");
	int r;

	(void)snprintf(dir, KEEPER_DIR_MAX, "%s/img-machine-XXXXXX",
		       is_plain(parent) ? parent : "/tmp");
	if (!mkdtemp(dir)) {
		(void)img_err_sys(err, "cannot make the directory %s", dir);
		dir[0] = '\0';
		return -(int)err->code;
	}
	r = link_in(dir, "init", options->program, err);
	if (r == 0)
		r = link_in(dir, "preload.so", options->preload, err);
	return r;
}

/* What the keeper tells its parent, once, in one atomic write. */
struct birth {
	pid_t machine;
	char dir[KEEPER_DIR_MAX];
	struct img_err err; /* why there is no machine */
};

/* Leaves the parent's session, streams and signals. */
static void detach(void)
{
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t all;

	(void)setsid();
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (int fd = 0; fd < 3; fd++)
		(void)dup2(null_fd, fd);
	(void)close(null_fd);
	(void)sigfillset(&all); /* nothing but the pipe ends a keeper */
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
}

static void give_birth(const struct keeper_options *options,
		       struct birth *birth)
{
	pid_t self = getpid();

	if (make_dir(options, birth->dir, &birth->err) < 0)
		return;
	birth->machine = fork();
	if (birth->machine == 0)
		become_kernel(options, birth->dir, self);
	if (birth->machine < 0)
		(void)img_err_sys(&birth->err, "cannot start the machine");
}

static void __attribute__((noreturn))
keep(const struct keeper_options *options, int life_fd, int birth_fd)
{
	struct birth birth = { 0 };
	struct img_err ignored = { 0 };
	int child_fd, processor_fd;
	sigset_t child;

	detach();
	processor_fd = above(processor_settle());
	give_birth(options, &birth);
	(void)!write(birth_fd, &birth, sizeof(birth)); /* or EOF says it */
	life_fd = dup2(life_fd, 3);
	/* The processor is the machine's for as long. */
	processor_fd = dup2(processor_fd, 4);
	(void)close_range(processor_fd < 0 ? 4 : 5, ~0u, 0);
	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	child_fd = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	if (birth.machine > 0) {
		watch(birth.machine, life_fd, child_fd);
		bury(birth.machine);
	}
	if (birth.dir[0]) /* one that stays is all that can be wrong here */
		(void)!file_remove_tree(AT_FDCWD, birth.dir, &ignored);
	_exit(0);
}

static int read_birth(int birth_fd, struct keeper *keeper, struct img_err *err)
{
	struct birth birth = { 0 };
	ssize_t n;

	do {
		n = read(birth_fd, &birth, sizeof(birth));
	} while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(birth))
		return img_err_set(err, IMG_E_SYS, 0,
				   "the machine's keeper was killed");
	keeper->machine = birth.machine;
	memcpy(keeper->dir, birth.dir, sizeof(keeper->dir));
	*err = birth.err;
	return -(int)err->code;
}

int keeper_start(const struct keeper_options *options, struct keeper *ret,
		 struct img_err *err)
{
	img_auto(keeper_release) struct keeper keeper = { .life_fd = -1 };
	img_auto(img_fd_release) int life_theirs = -1;
	img_auto(img_fd_release) int birth_theirs = -1;
	img_auto(img_fd_release) int birth_ours = -1;
	int r;

	if (open_pipe(&life_theirs, &keeper.life_fd) < 0 ||
	    open_pipe(&birth_ours, &birth_theirs) < 0)
		return img_err_sys(err, "cannot make a pipe");
	keeper.pid = fork();
	if (keeper.pid < 0) {
		keeper.pid = 0;
		return img_err_sys(err, "cannot start the machine");
	}
	if (keeper.pid == 0) {
		img_fd_release(&keeper.life_fd);
		img_fd_release(&birth_ours);
		keep(options, life_theirs, birth_theirs);
	}
	img_fd_release(&birth_theirs);
	r = read_birth(birth_ours, &keeper, err);
	if (r < 0)
		return r;
	*ret = keeper;
	keeper = (struct keeper){ .life_fd = -1 };
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
	if (keeper->dir[0])
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
}
