#ifndef IMG_IMAGE_DIR_HOLES_H
#define IMG_IMAGE_DIR_HOLES_H

/*
 * Where a file has data, and where it has holes, as its file system tells.
 */
#include "image/entry.h"

/* A file in more pieces than this is taken as a whole. */
#define DIR_HOLES_MAX 65536

/* Zero-initialise; used for one file after the other. */
struct dir_holes {
	struct entry_extent *extents;
	size_t n, room;
};

/* True where a file of that size has holes, with its data in @holes.  False
 * where it has none, where nobody can tell, or where they are too many. */
bool dir_holes_find(struct dir_holes *holes, int fd, uint64_t size_bytes);
void dir_holes_release(struct dir_holes *holes);

#endif
