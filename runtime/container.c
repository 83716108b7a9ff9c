#include "runtime/container.h"

#include "base/cleanup.h"
#include "base/lock_order.h"
#include "base/str.h"
#include "runtime/clone_into.h"
#include "runtime/command.h"
#include "runtime/hostname.h"
#include "runtime/init.h"
#include "runtime/oom_score.h"
#include "runtime/relay.h"
#include "runtime/rootfs.h"
#include "runtime/signals.h"
#include "runtime/stdio.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* All that lives from the first preparation to exec. */
struct start {
	struct init_plan plan;
	struct cgroup cgroup;
	struct oom_score oom_score;
	void *stack;
	char hostname[HOST_NAME_MAX + 1];
	char shm_options[40];
};

static void start_release(struct start *s)
{
	int saved = errno;

	oom_score_go_back(&s->oom_score);
	cgroup_end(&s->cgroup);
	mounts_release(&s->plan.mounts, s->plan.spec->n_mounts);
	img_fd_release(&s->plan.root_fd);
	img_fd_release(&s->plan.report[0]);
	img_fd_release(&s->plan.report[1]);
	reaper_release(&s->plan.reaper);
	pty_release(&s->plan.pty);
	env_release(&s->plan.env);
	syscall_filter_release(&s->plan.filter);
	if (s->stack)
		(void)munmap(s->stack, INIT_STACK_BYTES);
	errno = saved;
}

/* Formatted here, and only where it is asked for: a printf on the way to exec
 * costs more than a mount. */
static void set_shm(struct start *s)
{
	const uint64_t size = s->plan.spec->shm_size_bytes;

	if (size == 0)
		return;
	(void)snprintf(s->shm_options, sizeof(s->shm_options),
		       "mode=1777,size=%" PRIu64, size);
	s->plan.shm_options = s->shm_options;
}

static int open_terminal(struct start *s, struct img_err *err)
{
	int r;

	if (!s->plan.spec->tty)
		return 0;
	r = pty_open(&s->plan.spec->users, &s->plan.pty, err);
	if (r < 0)
		return r;
	relay_copy_size(s->plan.pty.master);
	return 0;
}

/* The child's stack, with a page below it that stops an overflow. */
static int make_stack(struct start *s, struct img_err *err)
{
	void *p = mmap(NULL, INIT_STACK_BYTES, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE,
		       -1, 0);

	if (p == MAP_FAILED)
		return img_err_sys(err, "cannot make a stack");
	s->stack = p;
	if (mprotect(p, (size_t)sysconf(_SC_PAGESIZE), PROT_NONE) != 0)
		return img_err_sys(err, "cannot guard a stack");
	return 0;
}

static int make_filter(struct start *s, struct img_err *err)
{
	const struct container_spec *spec = s->plan.spec;
	const struct syscall_policy policy = {
		.profile = spec->syscalls,
		.capabilities = spec->capabilities,
		.cache_dir = spec->cache_dir,
	};

	return syscall_filter_make(&policy, &s->plan.filter, err);
}

static int make_cgroup(struct start *s, struct img_err *err)
{
	const struct container_spec *spec = s->plan.spec;
	struct cgroup_plan plan = {
		.parent = spec->cgroup_parent,
		.id = spec->id,
		.limits = spec->limits,
	};
	struct stat st;

	if (spec->limits && spec->limits->n_io > 0) {
		if (stat(spec->root_device, &st) != 0)
			return img_err_sys(err, "cannot look at %s",
					   spec->root_device);
		plan.root_device = st.st_rdev;
	}
	return cgroup_make(&plan, &s->cgroup, err);
}

static int prepare(struct start *s, struct img_err *err)
{
	const struct container_spec *spec = s->plan.spec;
	int r;

	if (!spec->argv || !spec->argv[0])
		return img_err_set(err, IMG_E_INPUT, 0, "no command given");
	if ((r = hostname_choose(spec, s->hostname, err)) < 0 ||
	    (r = make_filter(s, err)) < 0 ||
	    (r = rootfs_mount(spec->root_device, spec->root_options,
			      spec->privileged, &s->plan.root_fd, err)) < 0 ||
	    (r = mounts_open(s->plan.root_fd, spec->mounts, spec->n_mounts,
			     spec->privileged, &s->plan.mounts, err)) < 0 ||
	    (r = ulimits_make_room(spec->ulimits, spec->n_ulimits, err)) < 0 ||
	    (r = open_terminal(s, err)) < 0 || (r = make_stack(s, err)) < 0 ||
	    (r = make_cgroup(s, err)) < 0 ||
	    (r = oom_score_take_on(spec->oom_score, &s->oom_score, err)) < 0)
		return r;
	set_shm(s);
	s->plan.hostname = s->hostname;
	if (userns_is_own(&spec->users))
		stdio_unlock();
	env_init(&s->plan.env, spec->env, s->hostname, spec->tty);
	if (pipe2(s->plan.report, O_CLOEXEC) != 0)
		return img_err_sys(err, "cannot make a pipe");
	return spec->init ? reaper_prepare(spec->argv, &s->plan.reaper, err)
			  : 0;
}

static int map_mounts(const struct start *s, int ns, struct img_err *err)
{
	const struct container_spec *spec = s->plan.spec;

	if (userns_map_mount(s->plan.root_fd, ns, false) != 0)
		return img_err_set(err, IMG_E_UNSUPPORTED, 0,
				   "this kernel has no id-mapped mounts of "
				   "ext4; '--userns host' runs without a user "
				   "namespace");
	return mounts_map(spec->mounts, spec->n_mounts, s->plan.mounts, ns,
			  err);
}

/* What only the host's root can do for the child, which waits. */
static int equip(const struct start *s, pid_t pid, struct img_err *err)
{
	const struct container_spec *spec = s->plan.spec;
	img_auto(img_fd_release) int ns = -1;
	struct userns ids;
	int r;

	if (!userns_is_own(&spec->users))
		return 0;
	if (spec->spaces.has_users)
		r = spaces_users_of(spec->spaces.users_pidfd, &ids, &ns, err);
	else
		r = userns_map(pid, &spec->users, &ns, err);
	return r < 0 ? r : map_mounts(s, ns, err);
}

static pid_t clone_first(struct start *s, int *ret_pidfd)
{
	const struct container_spec *spec = s->plan.spec;
	struct clone_plan clone = {
		.fn = init_main,
		.self = &s->plan,
		.stack = s->stack,
		.stack_bytes = INIT_STACK_BYTES,
		.flags = CLONE_VM | SIGCHLD |
			 (int)spaces_flags(&spec->spaces,
					   userns_is_own(&spec->users)),
		.cgroup = s->cgroup.dir,
	};
	pid_t pid = clone_into(&clone, ret_pidfd);

	if (pid >= 0 || spec->cgroup_parent ||
	    (errno != ENOSYS && errno != EOPNOTSUPP && errno != EBUSY) ||
	    (spec->limits && cgroup_limits_any(spec->limits)))
		return pid;
	/* A guard that knows no clone3, or a tree that takes no processes
	 * here: nothing is lost that was asked for. */
	cgroup_end(&s->cgroup);
	clone.cgroup = -1;
	return clone_into(&clone, ret_pidfd);
}

/* What the child says went wrong, if it could. */
static int heard_failure(const struct init_report *report, ssize_t n,
			 struct container *ret, struct img_err *err)
{
	if (n != sizeof(*report))
		return img_err_set(err, IMG_E_INTERRUPTED, 0,
				   "the first process was killed before it "
				   "could start the command");
	ret->exit_status = report->exit_status;
	if (err->code == IMG_OK)
		*err = report->err;
	return -(int)err->code;
}

/*
 * Clones the child and waits for its exec or its report.
 *
 * Both run in one memory: from init_let_go to the end of this read the
 * supervisor makes three plain system calls and handles no signal.
 */
static int spawn(struct start *s, struct container *ret, struct img_err *err)
{
	const struct spaces *spaces = &s->plan.spec->spaces;
	const bool own_users = userns_is_own(&s->plan.spec->users);
	img_auto(spaces_end_clone) int saved = -1;
	struct init_report report;
	ssize_t n;
	int r;

	lock_order_none("start a container");
	r = spaces_begin_clone(spaces, &saved, err);
	if (r < 0)
		return r;
	ret->pid = clone_first(s, &ret->pidfd);
	spaces_end_clone(&saved);
	if (ret->pid < 0)
		return own_users
			       ? userns_failed(err)
			       : img_err_sys(err, "cannot make the namespaces");
	r = equip(s, ret->pid, err);
	if (r < 0) {
		(void)pidfd_send_signal(ret->pidfd, SIGKILL, NULL, 0);
		(void)waitid(P_PID, (id_t)ret->pid, &(siginfo_t){ 0 }, WEXITED);
		img_fd_release(&ret->pidfd);
		return r;
	}
	init_let_go(&s->plan);
	(void)close(s->plan.report[1]);
	n = read(s->plan.report[0], &report, sizeof(report));
	s->plan.report[1] = -1;
	if (n == 0 && s->plan.at_exec)
		r = s->plan.spec->init ? reaper_await(&s->plan.reaper,
						      &ret->exit_status, err)
				       : 0;
	else
		r = heard_failure(&report, n, ret, err);
	if (r == 0)
		return 0;
	(void)waitid(P_PID, (id_t)ret->pid, &(siginfo_t){ 0 }, WEXITED);
	img_fd_release(&ret->pidfd);
	return r;
}

static int start_blocked(struct start *s, struct container *ret,
			 struct img_err *err)
{
	int r = prepare(s, err);

	if (r == 0)
		r = spawn(s, ret, err);
	if (r < 0)
		return r;
	ret->terminal = img_fd_take(&s->plan.pty.master);
	ret->cgroup = s->cgroup;
	s->cgroup = CGROUP_EMPTY;
	return 0;
}

int container_start(const struct container_spec *spec, struct container *ret,
		    struct img_err *err)
{
	img_auto(start_release) struct start s = {
		.plan = { .spec = spec,
			  .root_fd = -1,
			  .pty = PTY_EMPTY,
			  .reaper = REAPER_EMPTY,
			  .report = { -1, -1 } },
		.cgroup = CGROUP_EMPTY,
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
	r = start_blocked(&s, ret, err);
	signals_end_start(&ret->old_mask, r == 0);
	return r;
}

int container_status(int code, int status)
{
	return code == CLD_EXITED ? status & 0xff : 128 + status;
}
