#ifndef IMG_IMAGE_TREE_PATH_H
#define IMG_IMAGE_TREE_PATH_H

/*
 * Splits a path from an archive into components that may be trusted: no
 * "..", none longer than a directory entry holds.  Leading, doubled and
 * trailing slashes and "." components are dropped, as GNU tar does.
 */
#include "image/tree_index.h"

struct tree_path {
	const struct tree_index *index;
	const char *whole, *rest;
};

/* @index and @text are borrowed for the life of @path. */
static inline void tree_path_init(struct tree_path *path,
				  const struct tree_index *index,
				  const char *text)
{
	path->index = index;
	path->whole = text;
	path->rest = text;
}

/**
 * tree_path_next - the next component
 * @dir: the directory that it is to be looked up in, for the key
 *
 * Returns 1, 0 when nothing is left (a path that only says "the root"), or
 * -IMG_E_INPUT with a message that wants the entry's name before it.
 */
int tree_path_next(struct tree_path *path, struct tree_node *dir,
		   struct tree_key *ret, struct img_err *err) IMG_MUST_USE
	IMG_NONNULL(1, 2, 3, 4);

/* True once tree_path_next has returned the last component. */
bool tree_path_is_last(const struct tree_path *path) IMG_NONNULL(1);

/* Says that what was just passed, @node, is no directory to go through. */
int tree_path_refuse(const struct tree_path *path, const struct tree_node *node,
		     struct img_err *err) IMG_NONNULL(1, 2, 3);

#endif
