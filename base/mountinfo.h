#ifndef IMG_BASE_MOUNTINFO_H
#define IMG_BASE_MOUNTINFO_H

/*
 * What is mounted, as this process's mount namespace has it.
 *
 * Source of the format: proc_pid_mountinfo(5).
 */
#include "base/err.h"

#include <sys/types.h>

struct mountinfo {
	dev_t dev;	   /* of the file system */
	const char *place; /* where it is mounted, seen from our root */
};

/**
 * mountinfo_each - call @fn for each mount, oldest first
 *
 * @fn returns 0 to go on; anything else ends the walk and is returned.
 */
int mountinfo_each(int (*fn)(void *self, const struct mountinfo *mount,
			     struct img_err *err),
		   void *self, struct img_err *err) IMG_MUST_USE;

/* One place where the file system of @dev is mounted, or NULL; the caller
 * frees it. */
char *mountinfo_place(dev_t dev);

#endif
