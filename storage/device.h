#ifndef IMG_STORAGE_DEVICE_H
#define IMG_STORAGE_DEVICE_H

/*
 * Block devices that somebody gave us by name.
 *
 * Before anything is written to one, it is claimed: while the claim is held
 * the kernel lets nobody mount it, map it or claim it.  A device that somebody
 * uses already cannot be claimed, and the message says who that is.
 */
#include "base/err.h"

#include <stdint.h>
#include <sys/types.h>

struct loop;

struct device {
	int fd; /* -1: none; open for reading and writing, through the cache */
	dev_t dev;
	uint64_t size_bytes;
};

#define DEVICE_NONE                                                            \
	{                                                                      \
		.fd = -1                                                       \
	}

/**
 * device_claim - open a device that nobody else uses
 *
 * Returns 0, or IMG_E_NOT_FOUND, IMG_E_INPUT (no block device), IMG_E_BUSY
 * ("/dev/sdb is mounted on /srv", "/dev/sdb is used by dm-3"), IMG_E_SYS.
 */
int device_claim(const char *path, struct device *ret,
		 struct img_err *err) IMG_MUST_USE;
void device_release(struct device *device);

/* Opens a device for a device-mapper table, as loop_attach does a file.  The
 * table claims it; ours is then let go of. */
int device_attach(const char *path, struct loop *ret,
		  struct img_err *err) IMG_MUST_USE;

int device_size(int fd, const char *path, uint64_t *ret_bytes,
		struct img_err *err) IMG_MUST_USE;

#endif
