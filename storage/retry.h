#ifndef IMG_STORAGE_RETRY_H
#define IMG_STORAGE_RETRY_H

/*
 * Waiting for what another process, or the kernel, is done with in a moment.
 */
#include "base/attr.h"
#include "base/err.h"

typedef int retry_fn(void *arg, struct img_err *err);

/**
 * retry_while_busy - call @fn until it is not IMG_E_BUSY any more
 * @wait_ms: how long at most; at least one call is made
 *
 * Returns what the last call returned, with its error alone: those before it
 * are forgotten.
 */
int retry_while_busy(retry_fn *fn, void *arg, int wait_ms,
		     struct img_err *err) IMG_MUST_USE;

#endif
