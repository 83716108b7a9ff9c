#ifndef IMG_STORAGE_SYSBLOCK_H
#define IMG_STORAGE_SYSBLOCK_H

/*
 * The kernel's block devices that could be ours, as sysfs lists them.
 */
#include "storage/dm.h"

/* Calls @fn for each device of device-mapper whose UUID begins with
 * DM_UUID_PREFIX, and for each loop device that has a file. */
int sysblock_each(int (*fn)(void *self, const struct dm_block *block,
			    struct img_err *err),
		  void *self, struct img_err *err) IMG_MUST_USE;

#endif
