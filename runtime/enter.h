#ifndef IMG_RUNTIME_ENTER_H
#define IMG_RUNTIME_ENTER_H

/*
 * A further command in a container that runs.
 *
 * The container's own processes may be hostile and see the new one from the
 * moment it enters: until exec it cannot be traced or looked into by them, it
 * holds no descriptor but the standard ones, and it shares no memory with its
 * supervisor (unlike a first process, which enters an empty container).
 */
#include "runtime/container.h"

/**
 * container_enter - run a command in the namespaces of a process
 * @spec: argv, env, cwd, user, capabilities, system calls, terminal as for
 *        container_start, but a cwd that is missing is not made; root_device,
 *        binds and host name mean nothing here
 * @pidfd: the container's first process
 * @cgroup: the container's, or -1: it has none.  The command is in it before
 *	it is in anything else of the container
 * @ret: ends with container_wait, as after container_start.  After a failure
 *	its exit_status is COMMAND_STATUS_NO_EXEC also where the container lacks
 *	the user or the cwd
 *
 * The calling process's further children would be in the container's pid
 * namespace, too.  If the supervisor dies, the command is killed.
 *
 * Errors as of container_start; -IMG_E_NOT_FOUND when the container ended.
 */
int container_enter(const struct container_spec *spec, int pidfd, int cgroup,
		    struct container *ret, struct img_err *err) IMG_MUST_USE;

#endif
