#ifndef IMG_IMAGE_DIR_LINKS_H
#define IMG_IMAGE_DIR_LINKS_H

/*
 * Which files with several names were seen already, and by what name.
 */
#include "base/attr.h"

#include <sys/types.h>

struct dir_links {
	void *root; /* of a tsearch(3) tree; NULL: none yet */
};

void dir_links_release(struct dir_links *links) IMG_NONNULL(1);

/* The name a file was first seen by, or NULL: then it is now known as @path,
 * which is copied.  Ends the program when memory runs out. */
const char *dir_links_seen(struct dir_links *links, dev_t dev, ino_t ino,
			   const char *path) IMG_NONNULL(1, 4);

#endif
