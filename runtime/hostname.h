#ifndef IMG_RUNTIME_HOSTNAME_H
#define IMG_RUNTIME_HOSTNAME_H

/* A container's host name: as given, or the first digits of its id; and its
 * NIS domain name, if it has one. */
#include "base/err.h"
#include "runtime/spec.h"

#include <limits.h>

#define HOSTNAME_SIZE (HOST_NAME_MAX + 1)

/* IMG_E_INPUT for one that the kernel would not take. */
int hostname_choose(const struct container_spec *spec, char out[HOSTNAME_SIZE],
		    struct img_err *err) IMG_MUST_USE;

/* For the child, in its own uts namespace.  @domain: or NULL. */
int hostname_set(const char *name, const char *domain,
		 struct img_err *err) IMG_MUST_USE;

#endif
