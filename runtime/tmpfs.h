#ifndef IMG_RUNTIME_TMPFS_H
#define IMG_RUNTIME_TMPFS_H

/*
 * File systems in memory inside a container: --tmpfs DST[:OPTIONS].
 *
 * Nothing in them runs, has another user's rights or is a device, unless the
 * options say "exec", "suid" or "dev"; a device node works in a privileged
 * container only.
 */
#include "base/err.h"

#include <stdbool.h>

/* Returns 0, or IMG_E_INPUT that names what is wrong.  @options: as
 * "size=64m,mode=755,noexec", or NULL; tmpfs(5), mount(8). */
int tmpfs_check(const char *options, struct img_err *err) IMG_MUST_USE;

/**
 * tmpfs_open - make one, attached nowhere
 * @options: as tmpfs_check takes them
 * @nodes: "dev" has an effect
 * @ret: the mount; the caller closes it
 *
 * For the child: ids in the options are those of its user namespace.
 */
int tmpfs_open(const char *options, bool nodes, int *ret,
	       struct img_err *err) IMG_MUST_USE;

#endif
