#ifndef IMG_IMAGE_DIR_XATTR_H
#define IMG_IMAGE_DIR_XATTR_H

/*
 * The extended attributes of one file of a tree, ACLs included.
 */
#include "base/str.h"
#include "image/entry.h"

struct dir_xattrs {
	struct entry_xattr *list;
	size_t n;
	struct str names, values;
	size_t capacity;
};

void dir_xattrs_release(struct dir_xattrs *xattrs) IMG_NONNULL(1);

/**
 * dir_xattrs_read - read all of @name in the directory @dirfd
 *
 * Follows no symlink.  A file system that has none gives an empty list; an
 * attribute that vanishes meanwhile is left out.
 *
 * Returns 0, or -1 with errno set.
 */
int dir_xattrs_read(struct dir_xattrs *xattrs, int dirfd,
		    const char *name) IMG_MUST_USE IMG_NONNULL(1, 3);

#endif
