#include "runtime/init.h"

#include "base/cleanup.h"
#include "runtime/capability.h"
#include "runtime/command.h"
#include "runtime/devices.h"
#include "runtime/inroot.h"
#include "runtime/kernelfs.h"
#include "runtime/loopback.h"
#include "runtime/rootfs.h"
#include "runtime/signals.h"
#include "runtime/user.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>

/*
 * From here on the supervisor's death is this process's.  It may have died
 * before it could be asked for; then nobody reads the report pipe any more.
 */
static int follow_supervisor(int report_fd, struct img_err *err)
{
	struct pollfd report = { .fd = report_fd };

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		return img_err_sys(err, "cannot follow the supervisor");
	if (poll(&report, 1, 0) > 0 && (report.revents & POLLERR))
		return img_err_set(err, IMG_E_INTERRUPTED, 0,
				   "the supervisor is gone");
	return 0;
}

static int mount_binds(const struct init_plan *plan, struct img_err *err)
{
	for (size_t i = 0; i < plan->spec->n_binds; i++) {
		int r = bind_attach(AT_FDCWD, &plan->spec->binds[i],
				    &plan->binds[i], err);

		if (r < 0)
			return r;
	}
	return 0;
}

static int set_hostname(const char *name, struct img_err *err)
{
	if (sethostname(name, strlen(name)) != 0)
		return img_err_sys(err, "cannot set the host name '%s'", name);
	return 0;
}

static int open_stdio(const struct init_plan *plan, struct img_err *err)
{
	if (plan->spec->tty) {
		int r = pty_take_control(plan->pty.slave, err);

		if (r < 0)
			return r;
		return devices_mount_console("/dev/pts/0", err);
	}
	if (!plan->spec->interactive) {
		img_auto(img_fd_release) int fd = -1;

		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		if (fd < 0 || dup2(fd, STDIN_FILENO) < 0)
			return img_err_sys(err, "cannot open '/dev/null'");
	}
	return 0;
}

/*
 * Closes everything but stdio and the pipe.  Before the first path of the
 * image is used: a working directory "/proc/self/fd/7" must find nothing.
 */
static int drop_descriptors(int *report_fd, struct img_err *err)
{
	const int keep = STDERR_FILENO + 1;

	if (*report_fd != keep) {
		if (dup3(*report_fd, keep, O_CLOEXEC) < 0)
			return img_err_sys(err, "cannot keep the report pipe");
		*report_fd = keep;
	}
	if (close_range((unsigned int)keep + 1, ~0u, 0) != 0)
		return img_err_sys(err, "cannot close the descriptors");
	return 0;
}

static int enter_cwd(const char *cwd, struct img_err *err)
{
	img_auto(img_fd_release) int fd = -1;
	int r;

	if (!cwd || strcmp(cwd, "/") == 0)
		return 0;
	r = inroot_mkdirs(AT_FDCWD, cwd, 0755, &fd, err);
	if (r < 0)
		return img_err_prefix(err, "cannot use working directory '%s'",
				      cwd);
	if (fchdir(fd) != 0)
		return img_err_sys(err, "cannot enter directory '%s'", cwd);
	return 0;
}

static int forgo_privileges(struct img_err *err)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return img_err_sys(err, "cannot forgo new privileges");
	return 0;
}

/* A filter wants a privilege, or the promise to gain none: with that promise
 * it comes last, so that it need not allow what the steps before it do. */
static int become_user(const struct init_plan *plan, const struct user *user,
		       int report_fd, struct img_err *err)
{
	const struct container_spec *spec = plan->spec;
	const bool late = spec->no_new_privileges;
	int r;

	if (spec->tty && user->uid != 0 &&
	    fchown(STDIN_FILENO, user->uid, (gid_t)-1) != 0)
		return img_err_sys(err, "cannot give the terminal to the user");
	if ((r = capability_bound(spec->capabilities, err)) < 0 ||
	    (!late && (r = syscall_filter_load(&plan->filter, err)) < 0) ||
	    (r = user_become(user, err)) < 0 ||
	    (r = capability_keep(spec->capabilities, err)) < 0 ||
	    (late && (r = forgo_privileges(err)) < 0) ||
	    (late && (r = syscall_filter_load(&plan->filter, err)) < 0))
		return r;
	/* The kernel forgot the wish when the ids changed. */
	return follow_supervisor(report_fd, err);
}

static int make_root(const struct init_plan *plan, struct img_err *err)
{
	const bool privileged = plan->spec->privileged;
	int r;

	if ((r = rootfs_enter(plan->root_fd, err)) < 0 ||
	    (r = kernelfs_mount_proc(err)) < 0 ||
	    (r = kernelfs_mount_sys(privileged, err)) < 0 ||
	    (r = devices_mount(plan->pty.devpts, privileged, err)) < 0 ||
	    (!privileged && (r = kernelfs_guard(err)) < 0))
		return r;
	return mount_binds(plan, err);
}

static int make_world(const struct init_plan *plan, struct img_err *err)
{
	int r;

	if (unshare(CLONE_NEWCGROUP) != 0)
		return img_err_sys(err, "cannot make a cgroup namespace");
	if ((r = set_hostname(plan->hostname, err)) < 0 ||
	    (r = loopback_up(err)) < 0)
		return r;
	return make_root(plan, err);
}

static int run_command(struct init_plan *plan, int report_fd, int *ret_status,
		       struct img_err *err)
{
	char home[sizeof("HOME=") + USER_HOME_MAX];
	struct user user;
	int r;

	if ((r = user_resolve(AT_FDCWD, plan->spec->user, &user, err)) < 0 ||
	    (r = enter_cwd(plan->spec->cwd, err)) < 0 ||
	    (r = signals_reset(err)) < 0 ||
	    (r = become_user(plan, &user, report_fd, err)) < 0)
		return r;
	(void)snprintf(home, sizeof(home), "HOME=%s", user.home);
	env_add_home(&plan->env, home);
	(void)umask(0022);
	plan->at_exec = true;
	return command_exec(plan->spec->argv, plan->env.vars,
			    env_get(&plan->env, "PATH"), ret_status, err);
}

int init_main(void *arg)
{
	struct init_plan *plan = arg;
	struct init_report report = { .exit_status = COMMAND_STATUS_RUNTIME };
	struct img_err *err = &report.err;
	int fd = plan->report[1];

	(void)close(plan->report[0]); /* this process's copy */
	(void)umask(0);
	(void)setsid(); /* a new process leads no group: cannot fail */
	if (follow_supervisor(fd, err) == 0 && make_world(plan, err) == 0 &&
	    open_stdio(plan, err) == 0 && drop_descriptors(&fd, err) == 0)
		(void)run_command(plan, fd, &report.exit_status, err);

	/* If even this fails there is nobody left to tell. */
	if (write(fd, &report, sizeof(report)) < 0)
		return COMMAND_STATUS_RUNTIME;
	return report.exit_status;
}
