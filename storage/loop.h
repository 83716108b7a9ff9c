#ifndef IMG_STORAGE_LOOP_H
#define IMG_STORAGE_LOOP_H

/*
 * Loop devices over backing files.
 *
 * Attached with LOOP_CONFIGURE: one ioctl, and no moment in which the device
 * is there without its file.  Always with autoclear: once nobody has the
 * device open, the kernel detaches it by itself.  So an attached loop lives
 * exactly as long as the descriptor or the device-mapper table that uses it,
 * and a crash cannot leak one.
 */
#include "base/err.h"

#include <stdint.h>
#include <sys/types.h>

struct loop {
	int fd; /* open loop device; -1 when none */
	dev_t dev;
};

#define LOOP_NONE                                                              \
	{                                                                      \
		.fd = -1                                                       \
	}

/**
 * loop_attach - make a block device of a file
 * @path: backing file; its size is rounded down to whole sectors
 * @ret: the device stays while ret->fd, or another user of it, is open
 *
 * Direct I/O is used where the backing file system takes it.  A free number
 * that another process takes first is no failure: the next one is tried.
 *
 * Returns 0, or IMG_E_UNSUPPORTED (no loop driver), IMG_E_NOT_FOUND (no such
 * file), IMG_E_SYS.
 */
int loop_attach(const char *path, struct loop *ret,
		struct img_err *err) IMG_MUST_USE;

/* Takes a loop device from its file; one in use goes when its last user does. */
int loop_detach(dev_t dev, struct img_err *err) IMG_MUST_USE;
/* Tells an attached loop device that its file has another size by now. */
int loop_refresh(dev_t dev, struct img_err *err) IMG_MUST_USE;

/* Lets go of our descriptor; the kernel detaches once nobody uses it. */
void loop_release(struct loop *loop);

#endif
