#ifndef IMG_IMAGE_DIR_READ_H
#define IMG_IMAGE_DIR_READ_H

/*
 * A directory tree as a source of entries, in order of their names.
 *
 * Stays on one file system: what is mounted inside appears as the empty
 * directory it is mounted on.  Symlinks are taken as they are, files with
 * several names inside the tree stay one file, holes stay holes, extended
 * attributes are read as far as the caller may.  The tree should not change
 * meanwhile: a file that shrinks is an error.
 */
#include "image/entry.h"

/**
 * dir_source_open - begin to read a tree
 * @path: its root, which becomes the root of the image
 * @ret: closed by the caller, with its close()
 *
 * Returns 0, -IMG_E_NOT_FOUND, -IMG_E_INPUT where @path is no directory, or
 * -IMG_E_SYS.
 */
int dir_source_open(const char *path, struct entry_source **ret,
		    struct img_err *err) IMG_MUST_USE IMG_NONNULL(1, 2, 3);

#endif
