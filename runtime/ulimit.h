#ifndef IMG_RUNTIME_ULIMIT_H
#define IMG_RUNTIME_ULIMIT_H

/*
 * Limits of each process of a container: --ulimit NAME=SOFT[:HARD].
 *
 * Source: getrlimit(2); names and units as docker has them, which are the
 * kernel's.
 */
#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

#define ULIMIT_NONE UINT64_MAX

struct ulimit {
	int resource; /* RLIMIT_... */
	uint64_t soft, hard;
};

/**
 * ulimit_parse - read one limit
 * @text: "nofile=1024:2048", "core=0"; -1 and "unlimited" are no limit; one
 *	value is both
 *
 * Returns 0, or IMG_E_INPUT.
 */
int ulimit_parse(const char *text, struct ulimit *ret,
		 struct img_err *err) IMG_MUST_USE;

/* "nofile". */
const char *ulimit_name(int resource);

/**
 * ulimits_make_room - let this process's children have those limits
 *
 * Raises the hard limits of this process where they are lower, and nothing
 * else: a child in a user namespace of its own may lower limits only.
 */
int ulimits_make_room(const struct ulimit *list, size_t n,
		      struct img_err *err) IMG_MUST_USE;

/* For the child, after it needs no more descriptors than it may have. */
int ulimits_set(const struct ulimit *list, size_t n,
		struct img_err *err) IMG_MUST_USE;

#endif
