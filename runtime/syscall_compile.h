#ifndef IMG_RUNTIME_SYSCALL_COMPILE_H
#define IMG_RUNTIME_SYSCALL_COMPILE_H

/*
 * From a profile to a program for the kernel, by libseccomp: the part
 * "seccomp", which base/part.h loads when a filter has to be made.
 */
#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

#define SYSCALL_COMPILE_PART "seccomp"

/**
 * syscall_compile - make a filter
 * @profile: JSON, or NULL for the default
 * @capabilities: of the container: what they unlock is allowed
 * @ret: the program, an array of struct sock_filter; the caller frees it
 * @ret_size: in bytes
 *
 * Returns 0, or IMG_E_INPUT that says what of the profile is wrong.
 */
typedef int syscall_compile_fn(const char *profile, uint64_t capabilities,
			       char **ret, size_t *ret_size,
			       struct img_err *err);
syscall_compile_fn syscall_compile;

/* The rest is for this part alone. */

/* For what the default profile does not know. */
#define SYSCALL_DEFAULT_ACTION SCMP_ACT_ERRNO(ENOSYS)

/* IMG_E_INPUT; @r is what libseccomp returned, or 0. */
int syscall_failed(int r, const char *what, struct img_err *err);

/* How every filter is made: as a tree, for native and 32-bit programs. */
void syscall_set_up(void *filter);

/* Rules of the default profile, and of one in JSON.  @filter is libseccomp's
 * context; syscall_compile owns it. */
int syscall_default_rules(void *filter, uint64_t capabilities,
			  struct img_err *err) IMG_MUST_USE;
/* Makes the context too, since the profile has its default action.  Source:
 * OCI runtime-spec, config-linux.md, "Seccomp"; docker's own fields on top:
 * archMap, includes, excludes, a name in place of names. */
int syscall_profile_rules(const char *json, uint64_t capabilities,
			  void **ret_filter, struct img_err *err) IMG_MUST_USE;

#endif
