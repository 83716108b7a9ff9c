#ifndef IMG_MACHINE_STATE_H
#define IMG_MACHINE_STATE_H

/*
 * The state disk: a sparse file on the host that holds the guest's store.
 *
 * Whoever has it open has it locked, with flock: the kernel itself takes an
 * fcntl lock on the file, which would meet a lock of that kind of ours.  The
 * lock lasts as long as any process of the machine lives.
 */
#include "base/err.h"
#include "machine/machine.h"

/**
 * state_open - open and lock the state disk, making it when it is missing
 * @path: its file
 * @ret_fd: the caller's
 *
 * A new one is formatted under the name "<path>.new" and renamed, so a crash
 * leaves either no state disk or a whole one; the next call replaces the
 * leftover.  What is in an existing one check_state judges, and then the
 * guest's kernel.
 *
 * IMG_E_BUSY where another machine has it, IMG_E_INPUT where it is not a
 * regular file, IMG_E_CORRUPT where it is too small to be one.
 */
int state_open(const char *path, const struct machine_options *options,
	       int *ret_fd, struct img_err *err) IMG_MUST_USE;

#endif
