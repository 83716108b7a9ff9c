#ifndef IMG_RUNTIME_TREE_COPY_H
#define IMG_RUNTIME_TREE_COPY_H

/*
 * A copy of what is in a directory, as root sees it: files of every kind with
 * owners, modes, times, extended attributes, holes and hard links.
 *
 * Names are looked up in directories that are held open, and no symlink is
 * followed; nothing else is at work on either side.
 */
#include "base/err.h"

/* How deep directories may lie in each other. */
#define TREE_COPY_DEPTH_MAX 200

/**
 * tree_copy - copy the content of a directory, and its attributes
 * @from: a directory, open for reading
 * @to: another one, empty
 *
 * IMG_E_NO_SPACE where it does not fit; what was copied until a failure
 * remains.
 */
int tree_copy(int from, int to, struct img_err *err) IMG_MUST_USE;

#endif
