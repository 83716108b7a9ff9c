#ifndef IMG_RUNTIME_SPEC_H
#define IMG_RUNTIME_SPEC_H

/*
 * What a container is to be: everything that container_start needs to know,
 * and nothing about images or pools.  All of it is borrowed for the call.
 */
#include "runtime/mounts.h"
#include "runtime/spaces.h"
#include "runtime/sysctl.h"
#include "runtime/ulimit.h"
#include "runtime/userns.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cgroup_limits;

struct container_spec {
	/* The container's id; names it in messages, and its first twelve
	 * characters are the host name where none is given. */
	const char *id;
	const char *hostname;	/* NULL or at most HOST_NAME_MAX bytes */
	const char *domainname; /* NULL, or the same */

	/* A block device node that holds ext4, and mount options of ext4 as
	 * "a,b=c", or NULL. */
	const char *root_device;
	const char *root_options;

	char *const *argv; /* NULL-terminated, at least one */
	/* NAME=VALUE, NULL-terminated; NULL is an empty one.  Where PATH,
	 * HOSTNAME, TERM or HOME are missing they are added. */
	char *const *env;
	const char *cwd;     /* made where missing; NULL is "/" */
	const char *user;    /* "name|uid[:group|gid]"; NULL or "" is root */
	char *const *groups; /* more of them: names or ids, NULL-terminated; or
			      * NULL */

	const struct container_mount *mounts;
	size_t n_mounts;
	bool read_only;		 /* its root; what is mounted in it is not */
	uint64_t shm_size_bytes; /* of /dev/shm; 0: 64 MiB */

	const struct sysctl *sysctls;
	size_t n_sysctls;
	const struct ulimit *ulimits;
	size_t n_ulimits;

	struct spaces spaces; /* the network among them */

	/* Zero: no user namespace, its root is the host's.  Where it joins
	 * another container's: that one's. */
	struct userns users;

	uint64_t capabilities; /* runtime/capability.h; all others go */
	/* Devices work wherever nodes are made, /sys is writable, nothing of
	 * /proc and /sys is hidden.  Not with ids of its own. */
	bool privileged;

	/* A seccomp profile: runtime/syscall_filter.h; NULL is the default. */
	const char *syscalls;
	const char *cache_dir;	/* for what is made once; of root alone */
	bool no_new_privileges; /* set-user-ID programs gain nothing */

	/* What it may use: runtime/cgroup.h. */
	const char *cgroup_parent;
	const struct cgroup_limits *limits;
	int oom_score; /* runtime/oom_score.h */

	bool init;	  /* a first process before argv's: runtime/reaper.h */
	bool tty;	  /* a terminal of its own */
	bool interactive; /* stdin goes in; else /dev/null, or silence */
};

#endif
