#ifndef IMG_RUNTIME_MOUNT_GUARD_H
#define IMG_RUNTIME_MOUNT_GUARD_H

/*
 * What a container's root that may mount must not change: the flags of the
 * mounts that it was given.
 *
 * In a user namespace CAP_SYS_ADMIN reaches only what is the container's.  Its
 * mounts are: so it could take "nodev" from its root, and the node of a disk
 * that its image brought along would work, or "ro" from a volume.  The
 * kernel locks such flags where a mount namespace is copied into another user
 * namespace, which never happens to a mount that is moved there.  So a filter
 * of system calls lets no remount of a mount through that is not both nodev
 * and read-only, and no mount_setattr(2).  It stands whatever else is filtered.
 */
#include "base/err.h"
#include "runtime/spec.h"

#include <linux/filter.h>

/* Whether a container needs it: it may mount, with ids of its own. */
bool mount_guard_is_needed(const struct container_spec *spec);

/* The filter, for the child; needs CAP_SYS_ADMIN or no_new_privs. */
int mount_guard_load(struct img_err *err) IMG_MUST_USE;

/* The program itself. */
extern const struct sock_fprog mount_guard_program;

#endif
