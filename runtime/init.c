#include "runtime/init.h"

#include "base/cleanup.h"
#include "runtime/command.h"
#include "runtime/devices.h"
#include "runtime/handover.h"
#include "runtime/hostname.h"
#include "runtime/inroot.h"
#include "runtime/kernelfs.h"
#include "runtime/keyring.h"
#include "runtime/loopback.h"
#include "runtime/rootfs.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

void init_let_go(struct init_plan *plan)
{
	__atomic_store_n(&plan->go, 1, __ATOMIC_RELEASE);
	(void)syscall(SYS_futex, &plan->go, FUTEX_WAKE_PRIVATE, 1);
}

/* The supervisor's death meanwhile is this process's: handover_follow. */
static void wait_for_go(struct init_plan *plan)
{
	while (!__atomic_load_n(&plan->go, __ATOMIC_ACQUIRE))
		(void)syscall(SYS_futex, &plan->go, FUTEX_WAIT_PRIVATE, 0,
			      NULL);
}

/* What is made where it is missing has to be made first. */
static int seal_root(const struct container_spec *spec, struct img_err *err)
{
	img_auto(img_fd_release) int fd = -1;
	int r = 0;

	if (!spec->read_only)
		return 0;
	if (spec->cwd)
		r = inroot_mkdirs(AT_FDCWD, spec->cwd, 0755, &fd, err);
	return r < 0 ? r : rootfs_seal(err);
}

static int make_root(const struct init_plan *plan,
		     const struct spaces_brought *brought, struct img_err *err)
{
	const struct container_spec *spec = plan->spec;
	const bool privileged = spec->privileged;
	const bool own_users = userns_is_own(&spec->users);
	const struct devices_plan devices = {
		.devpts = plan->pty.devpts,
		.source = own_users    ? DEVICES_OF_HOST
			  : privileged ? DEVICES_ANY
				       : DEVICES_OWN,
		.shm_options = plan->shm_options,
		.shm = brought->shm,
		.no_shm = spec->spaces.no_shm,
		.ipc_of_host = spec->spaces.ipc.kind == SPACE_HOST,
	};
	const bool host_pids = spec->spaces.pid.kind == SPACE_HOST;
	int r;

	if ((r = rootfs_attach(plan->root_fd, err)) < 0 ||
	    (r = kernelfs_mount_proc(brought->proc, host_pids && own_users,
				     err)) < 0 ||
	    (r = kernelfs_mount_sys(privileged, err)) < 0 ||
	    (r = devices_mount(&devices, err)) < 0 ||
	    (r = rootfs_enter(err)) < 0 ||
	    (r = sysctl_set(spec->sysctls, spec->n_sysctls, err)) < 0 ||
	    (!privileged && (r = kernelfs_guard(err)) < 0) ||
	    (r = mounts_attach(AT_FDCWD, spec->mounts, spec->n_mounts,
			       plan->mounts, privileged, err)) < 0)
		return r;
	return seal_root(spec, err);
}

static int make_world(const struct init_plan *plan, struct img_err *err)
{
	const struct container_spec *spec = plan->spec;
	const struct spaces *spaces = &spec->spaces;
	struct spaces_brought brought = SPACES_BROUGHT_NONE;
	int r;

	if ((r = keyring_leave(err)) < 0)
		return r;
	if (userns_is_own(&spec->users) && !spaces->has_users &&
	    (r = userns_become_root(err)) < 0)
		return r;
	if ((r = spaces_enter(spaces, &brought, err)) < 0)
		return r;
	if (spaces->uts.kind == SPACE_OWN &&
	    (r = hostname_set(plan->hostname, spec->domainname, err)) < 0)
		return r;
	if (spaces->net.kind == SPACE_OWN && (r = loopback_up(err)) < 0)
		return r;
	return make_root(plan, &brought, err);
}

/* Only the first process has it: later ones come to a container that runs. */
static int mount_console(const struct init_plan *plan, struct img_err *err)
{
	return plan->spec->tty ? devices_mount_console("/dev/pts/0", err) : 0;
}

int init_main(void *arg)
{
	struct init_plan *plan = arg;
	const struct handover handover = {
		.spec = plan->spec,
		.filter = &plan->filter,
		.env = &plan->env,
		.reaper = plan->spec->init ? &plan->reaper : NULL,
		.terminal = plan->pty.slave,
		.at_exec = &plan->at_exec,
	};
	struct init_report report = { .exit_status = COMMAND_STATUS_RUNTIME };
	struct img_err *err = &report.err;
	int fd = plan->report[1];

	(void)close(plan->report[0]); /* this process's copy */
	if (handover_follow(fd, err) < 0)
		return COMMAND_STATUS_RUNTIME; /* nobody is there to be told */
	wait_for_go(plan);
	(void)umask(0);
	(void)setsid(); /* a new process leads no group: cannot fail */
	if (make_world(plan, err) == 0 && handover_stdio(&handover, err) == 0 &&
	    mount_console(plan, err) == 0 &&
	    handover_descriptors(&handover, &fd, err) == 0)
		(void)handover_exec(&handover, fd, &report.exit_status, err);

	/* If even this fails there is nobody left to tell. */
	if (write(fd, &report, sizeof(report)) < 0)
		return COMMAND_STATUS_RUNTIME;
	return report.exit_status;
}
