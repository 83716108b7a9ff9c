#ifndef IMG_RUNTIME_KEYRING_H
#define IMG_RUNTIME_KEYRING_H

/*
 * The kernel's keys: a process inherits the session keyring of whoever started
 * it, with what the host's user keeps there (keyrings(7)).
 */
#include "base/err.h"

/* A new, empty session keyring for this process and its children.  A kernel
 * without keys has nothing to inherit. */
int keyring_leave(struct img_err *err) IMG_MUST_USE;

#endif
