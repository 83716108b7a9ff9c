#include "runtime/enter.h"

#include "base/cleanup.h"
#include "base/pages.h"
#include "runtime/cgroup_file.h"
#include "runtime/clone_into.h"
#include "runtime/command.h"
#include "runtime/handover.h"
#include "runtime/hostname.h"
#include "runtime/init.h"
#include "runtime/keyring.h"
#include "runtime/oom_score.h"
#include "runtime/procdir.h"
#include "runtime/pty.h"
#include "runtime/relay.h"
#include "runtime/signals.h"
#include "runtime/stdio.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

struct entry {
	const struct container_spec *spec;
	int pidfd;	/* of the container; borrowed, */
	int cgroup;	/* like this one, which may be -1 */
	bool in_cgroup; /* the child begins there */
	struct oom_score oom_score;
	struct env env;
	struct syscall_filter filter;
	struct pty pty;
	int report[2];
	void *page; /* shared with the child: a bool, handover's at_exec */
};

static void entry_release(struct entry *e)
{
	int saved = errno;

	oom_score_go_back(&e->oom_score);
	env_release(&e->env);
	syscall_filter_release(&e->filter);
	pty_release(&e->pty);
	img_fd_release(&e->report[0]);
	img_fd_release(&e->report[1]);
	if (e->page)
		(void)munmap(e->page, sizeof(bool));
	errno = saved;
}

static int open_root(int pidfd, int *ret, struct img_err *err)
{
	img_auto(img_fd_release) int proc = -1;
	int r = procdir_open(pidfd, &proc, err);

	if (r < 0)
		return r;
	*ret = openat(proc, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*ret < 0)
		return errno == ENOENT || errno == ESRCH
			       ? procdir_gone(err)
			       : img_err_sys(
					 err,
					 "cannot open the container's root");
	return 0;
}

static int open_terminal(struct entry *e, struct img_err *err)
{
	img_auto(img_fd_release) int root = -1;
	int r;

	if (!e->spec->tty)
		return 0;
	r = open_root(e->pidfd, &root, err);
	if (r == 0)
		r = pty_open_in(root, &e->spec->users, &e->pty, err);
	if (r == 0)
		relay_copy_size(e->pty.master);
	return r;
}

static int prepare(struct entry *e, struct img_err *err)
{
	const struct container_spec *spec = e->spec;
	const struct syscall_policy policy = {
		.profile = spec->syscalls,
		.capabilities = spec->capabilities,
		.cache_dir = spec->cache_dir,
	};
	char hostname[HOSTNAME_SIZE];
	void *page;
	int r;

	if (!spec->argv || !spec->argv[0])
		return img_err_set(err, IMG_E_INPUT, 0, "no command given");
	if ((r = syscall_filter_make(&policy, &e->filter, err)) < 0 ||
	    (r = open_terminal(e, err)) < 0 ||
	    (r = oom_score_take_on(spec->oom_score, &e->oom_score, err)) < 0)
		return r;
	r = hostname_choose(spec, hostname, err);
	if (r == 0)
		r = ulimits_make_room(spec->ulimits, spec->n_ulimits, err);
	if (r < 0)
		return r;
	env_init(&e->env, spec->env, hostname, spec->tty);
	if (userns_is_own(&spec->users))
		stdio_unlock();
	page = mmap(NULL, sizeof(bool), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return img_err_sys(err, "cannot share a page");
	e->page = page;
	if (pipe2(e->report, O_CLOEXEC) != 0)
		return img_err_sys(err, "cannot make a pipe");
	/* What can trace a process, or open its executable, can do so from
	 * the instant that it is in the container; not with this, which lasts
	 * until exec. */
	if (prctl(PR_SET_DUMPABLE, 0) != 0)
		return img_err_sys(err, "cannot hide from the container");
	/* Counts for children alone. */
	if (setns(e->pidfd, CLONE_NEWPID) != 0)
		return errno == ESRCH ? procdir_gone(err)
				      : img_err_sys(err, "cannot join the "
							 "container");
	return 0;
}

/* Before the container can do anything to it. */
static int join_cgroup(const struct entry *e, struct img_err *err)
{
	return e->in_cgroup || e->cgroup < 0
		       ? 0
		       : cgroup_write(e->cgroup, "cgroup.procs", "0", err);
}

static int join(const struct entry *e, struct img_err *err)
{
	const bool own_users = userns_is_own(&e->spec->users);
	const int spaces = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC |
			   CLONE_NEWNET | CLONE_NEWCGROUP |
			   (own_users ? CLONE_NEWUSER : 0);
	int r = keyring_leave(err);

	if (r < 0)
		return r;
	if (setns(e->pidfd, spaces) != 0)
		return errno == ESRCH ? procdir_gone(err)
				      : img_err_sys(err, "cannot join the "
							 "container");
	return own_users ? userns_become_root(err) : 0;
}

/* From fork to exec. */
static void child(struct entry *e)
{
	const struct handover handover = {
		.spec = e->spec,
		.filter = &e->filter,
		.env = &e->env,
		.terminal = e->pty.slave,
		.joins = true,
		.at_exec = e->page,
	};
	struct init_report report = { .exit_status = COMMAND_STATUS_RUNTIME };
	struct img_err *err = &report.err;
	int fd = e->report[1];

	pages_map_program();
	(void)close(e->report[0]);
	(void)umask(0);
	(void)setsid(); /* a new process leads no group: cannot fail */
	if (handover_follow(fd, err) == 0 && join_cgroup(e, err) == 0 &&
	    join(e, err) == 0 && handover_stdio(&handover, err) == 0 &&
	    handover_descriptors(&handover, &fd, err) == 0) {
		/* The container is there: what is missing now is the command's,
		 * its user or its directory. */
		report.exit_status = COMMAND_STATUS_NO_EXEC;
		(void)handover_exec(&handover, fd, &report.exit_status, err);
	}

	/* If even this fails there is nobody left to tell. */
	IMG_IGNORE(write(fd, &report, sizeof(report)));
	_exit(report.exit_status);
}

/* Moving a process into a cgroup makes all forks wait for a while; but one that
 * is full of processes is entered in no other way. */
static pid_t fork_child(struct entry *e, int *ret_pidfd)
{
	pid_t pid = -1;

	e->in_cgroup = e->cgroup >= 0;
	if (e->in_cgroup)
		pid = clone_fork_into(e->cgroup, ret_pidfd);
	if (pid >= 0)
		return pid;
	e->in_cgroup = false;
	pid = fork();
	if (pid > 0)
		*ret_pidfd = pidfd_open(pid, 0);
	return pid;
}

static int spawn(struct entry *e, struct container *ret, struct img_err *err)
{
	const volatile bool *at_exec = e->page;
	struct init_report report;
	ssize_t n;

	ret->pid = fork_child(e, &ret->pidfd);
	if (ret->pid == 0)
		child(e);
	if (ret->pid < 0) /* ENOMEM: its pid namespace takes none any more */
		return errno == ENOMEM
			       ? procdir_gone(err)
			       : img_err_sys(err, "cannot make a process");
	img_fd_release(&e->report[1]);
	pages_map_data();
	n = read(e->report[0], &report, sizeof(report));
	if (ret->pidfd >= 0 && n == 0 && *at_exec)
		return 0;
	if (ret->pidfd < 0)
		(void)kill(ret->pid, SIGKILL); /* our child: still that one */
	(void)waitpid(ret->pid, NULL, 0);
	img_fd_release(&ret->pidfd);
	if (n != sizeof(report))
		return procdir_gone(err);
	ret->exit_status = report.exit_status;
	*err = report.err;
	return -(int)err->code;
}

int container_enter(const struct container_spec *spec, int pidfd, int cgroup,
		    struct container *ret, struct img_err *err)
{
	img_auto(entry_release) struct entry e = {
		.spec = spec,
		.pidfd = pidfd,
		.cgroup = cgroup,
		.pty = PTY_EMPTY,
		.report = { -1, -1 },
	};
	int r;

	*ret = (struct container){
		.pidfd = -1,
		.terminal = -1,
		.interactive = spec->interactive,
		.exit_status = COMMAND_STATUS_RUNTIME,
		.cgroup = CGROUP_EMPTY,
	};
	signals_begin_start(&ret->old_mask);
	r = prepare(&e, err);
	if (r == 0)
		r = spawn(&e, ret, err);
	if (r == 0)
		ret->terminal = img_fd_take(&e.pty.master);
	signals_end_start(&ret->old_mask, r == 0);
	return r;
}
