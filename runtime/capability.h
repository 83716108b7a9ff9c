#ifndef IMG_RUNTIME_CAPABILITY_H
#define IMG_RUNTIME_CAPABILITY_H

/*
 * Capabilities: the parts of root's power that a container keeps.
 *
 * A set is a mask, bit N for capability N of <linux/capability.h>.  What is
 * not in it leaves the bounding set too, so that no program with a capability
 * of its own can bring it back.  The inheritable and ambient sets are always
 * empty: with them a user other than root would get by exec what its file
 * system says it may not have.  Source: capabilities(7).
 *
 * By bare system calls, as runtime/user.h has it: the child shares its memory
 * with the supervisor, and a library would be loaded on the way to exec.
 */
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CAPABILITY_ALL UINT64_MAX

/* What docker leaves a container: enough for package managers, sudo and
 * servers, too little to change the host. */
extern const uint64_t capability_default;

/* Bit of "CAP_CHOWN", "chown" or "ALL", in any case; IMG_E_INPUT. */
int capability_parse(const char *name, uint64_t *ret,
		     struct img_err *err) IMG_MUST_USE;

/**
 * capability_choose - the set of a container, by docker's rules
 * @add, @drop: names, NULL-terminated; NULL is an empty list
 * @ret: the default set without @drop and with @add; after a drop of ALL only
 *       what was added, after an add of ALL everything but what was dropped
 */
int capability_choose(char *const *add, char *const *drop, uint64_t *ret,
		      struct img_err *err) IMG_MUST_USE;

/* Takes what is not in @keep out of the bounding set.  For the child while
 * it is root. */
int capability_bound(uint64_t keep, struct img_err *err) IMG_MUST_USE;

/**
 * capability_keep - leave the process @keep of what it has, and no more
 *
 * The last step before exec, after the ids have changed: who is not root has
 * nothing left by then, and gets nothing.
 */
int capability_keep(uint64_t keep, struct img_err *err) IMG_MUST_USE;

#endif
