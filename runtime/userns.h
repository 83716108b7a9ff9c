#ifndef IMG_RUNTIME_USERNS_H
#define IMG_RUNTIME_USERNS_H

/*
 * The container's own user ids: 0 to 65535 inside are a range of the host's
 * outside, which nobody else has.
 *
 * Files keep the ids that they have: what is on a volume is never changed for
 * it.  Mounts are mapped instead (mount_setattr(2), MOUNT_ATTR_IDMAP), so that
 * 0 on the disk is the container's root.  Ids above the range are nobody in
 * it.  Source: user_namespaces(7).
 */
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define USERNS_IDS 65536u

/* Where the ranges begin on the host.  Zero: the host's own ids. */
struct userns {
	uint32_t uid_base, gid_base;
};

static inline bool userns_is_own(const struct userns *ns)
{
	return ns->uid_base != 0;
}

/**
 * userns_map - give a new user namespace its ids
 * @pid: a child that was made with CLONE_NEWUSER and waits
 * @ret: the namespace; the caller closes it
 *
 * For its parent, with the host's privileges.
 */
int userns_map(pid_t pid, const struct userns *ns, int *ret,
	       struct img_err *err) IMG_MUST_USE;

/**
 * userns_map_mount - show a mount's files under a namespace's ids
 * @mount: a detached mount that was never attached
 * @ns: from userns_map
 * @recursive: all mounts below it too, or none at all
 *
 * Returns 0, or a negative errno: -EINVAL where a file system cannot do that,
 * or the kernel.
 */
int userns_map_mount(int mount, int ns, bool recursive) IMG_MUST_USE;

/* For the process inside, once its ids are mapped: it becomes the namespace's
 * root, in no other group. */
int userns_become_root(struct img_err *err) IMG_MUST_USE;

/* Why a user namespace could not be made, from errno of clone(2). */
int userns_failed(struct img_err *err);

#endif
