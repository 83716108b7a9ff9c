#ifndef IMG_BASE_HARDLINKS_H
#define IMG_BASE_HARDLINKS_H

/*
 * Which files with several names were seen already, and by what name.
 */
#include "base/attr.h"

#include <sys/types.h>

struct hardlinks {
	void *root; /* of a tsearch(3) tree; NULL: none yet */
};

void hardlinks_release(struct hardlinks *links) IMG_NONNULL(1);

/* The name a file was first seen by, or NULL: then it is now known as @path,
 * which is copied.  Ends the program when memory runs out. */
const char *hardlinks_seen(struct hardlinks *links, dev_t dev, ino_t ino,
			   const char *path) IMG_NONNULL(1, 4);

#endif
