#ifndef IMG_RUNTIME_SUBPATH_H
#define IMG_RUNTIME_SUBPATH_H

/*
 * A directory of a volume in the place of the whole volume.
 *
 * The way to it is looked up inside the volume (runtime/inroot.h): other
 * containers that have the volume may put symlinks there, and swap them in
 * this moment.  The kernel gives a part only of a tree that is attached: so
 * the whole is for a moment, at the very target, before anything of the
 * container runs.
 */
#include "runtime/bind.h"

/**
 * subpath_check - whether @path may be one: relative, and not above the volume
 *
 * By its text alone.  Returns 0 or IMG_E_INPUT.
 */
int subpath_check(const char *path, struct img_err *err) IMG_MUST_USE;

/**
 * subpath_attach - put the directory @path of a tree at its target
 * @root, @bind, @tree: as for bind_attach
 *
 * IMG_E_NOT_FOUND where there is no such directory.  After a failure the whole
 * tree may be at the target.
 */
int subpath_attach(int root, const struct bind_mount *bind,
		   const struct bind_tree *tree, const char *path,
		   struct img_err *err) IMG_MUST_USE;

#endif
