#ifndef IMG_RUNTIME_TRIM_H
#define IMG_RUNTIME_TRIM_H

/*
 * Giving back what a file system does not need any more: FITRIM.
 */
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/**
 * trim_device - discard the free blocks of the ext4 on a block device
 * @device: a block device node; it may be in use by a container
 * @read_only: mount it so: nothing but its free blocks is touched
 * @ret_bytes: what the file system had free and had not discarded yet
 *
 * The device is mounted detached, a second time where it is mounted already, as
 * rootfs_grow does it: in nobody's mount namespace, and gone with this process.
 *
 * Errors as rootfs_mount; IMG_E_UNSUPPORTED where the device takes no
 * discards.
 */
int trim_device(const char *device, bool read_only, uint64_t *ret_bytes,
		struct img_err *err) IMG_MUST_USE;

#endif
