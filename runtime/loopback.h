#ifndef IMG_RUNTIME_LOOPBACK_H
#define IMG_RUNTIME_LOOPBACK_H

/* The one network interface that every network namespace is born with. */
#include "base/err.h"

/* Brings lo up in the caller's network namespace; the kernel then gives it
 * 127.0.0.1 and ::1 by itself. */
int loopback_up(struct img_err *err) IMG_MUST_USE;

#endif
