#include "runtime/handover.h"

#include "base/cleanup.h"
#include "runtime/capability.h"
#include "runtime/command.h"
#include "runtime/inroot.h"
#include "runtime/mount_guard.h"
#include "runtime/pty.h"
#include "runtime/reaper/report.h"
#include "runtime/signals.h"
#include "runtime/user.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>

/*
 * From here on the supervisor's death is this process's.  It may have died
 * before it could be asked for; then nobody reads the report pipe any more.
 */
int handover_follow(int report_fd, struct img_err *err)
{
	struct pollfd report = { .fd = report_fd };

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		return img_err_sys(err, "cannot follow the supervisor");
	if (poll(&report, 1, 0) > 0 && (report.revents & POLLERR))
		return img_err_set(err, IMG_E_INTERRUPTED, 0,
				   "the supervisor is gone");
	return 0;
}

int handover_stdio(const struct handover *h, struct img_err *err)
{
	img_auto(img_fd_release) int fd = -1;

	if (h->spec->tty)
		return pty_take_control(h->terminal, err);
	if (h->spec->interactive)
		return 0;
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || dup2(fd, STDIN_FILENO) < 0)
		return img_err_sys(err, "cannot open '/dev/null'");
	return 0;
}

/* In their order from there on: the pipe, and the two of a reaper. */
#define FIRST_KEPT (STDERR_FILENO + 1)
_Static_assert(REAPER_REPORT_FD == FIRST_KEPT + 1 &&
		       REAPER_PROGRAM_FD == FIRST_KEPT + 2,
	       "the order of handover_descriptors");

/* Out of each other's way first; of a reaper's pipe the end must stay. */
static int keep_all(int *fds, int n, struct img_err *err)
{
	for (int i = 0; n > 1 && i < n; i++) {
		fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, FIRST_KEPT + n);
		if (fds[i] < 0)
			return img_err_sys(err, "cannot keep a descriptor");
	}
	for (int i = 0; i < n; i++) {
		const int at = FIRST_KEPT + i;

		if (fds[i] != at &&
		    dup3(fds[i], at, at == REAPER_REPORT_FD ? 0 : O_CLOEXEC) <
			    0)
			return img_err_sys(err, "cannot keep a descriptor");
	}
	return 0;
}

/*
 * Closes everything but stdio and those.  Before the first path of the image
 * is used: a working directory "/proc/self/fd/7" must find nothing, and what
 * is left is no directory.
 */
int handover_descriptors(const struct handover *h, int *report_fd,
			 struct img_err *err)
{
	int fds[] = { *report_fd, -1, -1 };
	int n = 1, r;

	if (h->reaper) {
		fds[n++] = h->reaper->report[1];
		fds[n++] = h->reaper->program;
	}
	r = keep_all(fds, n, err);
	if (r < 0)
		return r;
	*report_fd = FIRST_KEPT;
	if (close_range((unsigned)(FIRST_KEPT + n), ~0u, 0) != 0)
		return img_err_sys(err, "cannot close the descriptors");
	return 0;
}

/* Made for a container's first process, as WORKDIR promises; who joins it
 * later takes what there is. */
static int enter_cwd(const struct handover *h, struct img_err *err)
{
	const char *cwd = h->spec->cwd;
	img_auto(img_fd_release) int fd = -1;

	if (!cwd || strcmp(cwd, "/") == 0)
		return 0;
	if (h->joins) {
		fd = inroot_open(AT_FDCWD, cwd, O_PATH | O_DIRECTORY);
		if (fd < 0)
			return img_err_sys(
				err, "cannot use working directory '%s'", cwd);
	} else if (inroot_mkdirs(AT_FDCWD, cwd, 0755, &fd, err) < 0) {
		return img_err_prefix(err, "cannot use working directory '%s'",
				      cwd);
	}
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

/* Ids that do not exist in the container, before the kernel's EINVAL. */
static int check_ids(const struct container_spec *spec, const struct user *user,
		     struct img_err *err)
{
	uint32_t worst = user->uid;

	for (size_t i = 0; i < user->n_groups; i++)
		if (user->groups[i] > worst)
			worst = user->groups[i];
	if (!userns_is_own(&spec->users) || worst < USERNS_IDS)
		return 0;
	return img_err_set(err, IMG_E_INPUT, 0,
			   "cannot use user '%s': the container has the ids 0 "
			   "to %u, not %u; '--userns host' has them all",
			   spec->user ? spec->user : "root", USERNS_IDS - 1,
			   worst);
}

/* A filter wants a privilege, or the promise to gain none: with that promise
 * it comes last, so that it need not allow what the steps before it do. */
static int become_user(const struct handover *h, const struct user *user,
		       int report_fd, struct img_err *err)
{
	const struct container_spec *spec = h->spec;
	const bool late = spec->no_new_privileges;
	int r;

	if (spec->tty && user->uid != 0 &&
	    fchown(STDIN_FILENO, user->uid, (gid_t)-1) != 0)
		return img_err_sys(err, "cannot give the terminal to the user");
	if (mount_guard_is_needed(spec) && (r = mount_guard_load(err)) < 0)
		return r;
	if ((r = capability_bound(spec->capabilities, err)) < 0 ||
	    (!late && (r = syscall_filter_load(h->filter, err)) < 0) ||
	    (r = user_become(user, err)) < 0 ||
	    (r = capability_keep(spec->capabilities, err)) < 0 ||
	    (late && (r = forgo_privileges(err)) < 0) ||
	    (late && (r = syscall_filter_load(h->filter, err)) < 0))
		return r;
	/* The kernel forgot the wish when the ids changed. */
	return handover_follow(report_fd, err);
}

int handover_exec(const struct handover *h, int report_fd, int *ret_status,
		  struct img_err *err)
{
	char home[sizeof("HOME=") + USER_HOME_MAX];
	struct user user;
	int r;

	if ((r = user_resolve(AT_FDCWD, h->spec->user, &user, err)) < 0 ||
	    (r = user_add_groups(AT_FDCWD, h->spec->groups, &user, err)) < 0 ||
	    (r = check_ids(h->spec, &user, err)) < 0 ||
	    (r = enter_cwd(h, err)) < 0 || (r = signals_reset(err)) < 0 ||
	    (r = ulimits_set(h->spec->ulimits, h->spec->n_ulimits, err)) < 0 ||
	    (r = become_user(h, &user, report_fd, err)) < 0)
		return r;
	(void)snprintf(home, sizeof(home), "HOME=%s", user.home);
	env_add_home(h->env, home);
	(void)umask(0022);
	*h->at_exec = true;
	if (h->reaper)
		return reaper_exec(h->reaper, h->env->vars,
				   env_get(h->env, "PATH"), ret_status, err);
	return command_exec(h->spec->argv, h->env->vars,
			    env_get(h->env, "PATH"), ret_status, err);
}
