#ifndef IMG_RUNTIME_PROCDIR_H
#define IMG_RUNTIME_PROCDIR_H

/*
 * The directory that /proc has of a process: looked up by its number, which is
 * the process's own while its pidfd says that it lives.  Source: proc(5),
 * pidfd_open(2).
 */
#include "base/err.h"

/* What whoever finds it gone says: IMG_E_NOT_FOUND. */
int procdir_gone(struct img_err *err);

/**
 * procdir_open - open /proc/PID
 * @ret: an O_PATH descriptor, which the caller closes; what is opened through
 *	it is the process's or nothing, whatever has its number by then
 *
 * IMG_E_NOT_FOUND where the process has ended.
 */
int procdir_open(int pidfd, int *ret, struct img_err *err) IMG_MUST_USE;

#endif
