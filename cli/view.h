#ifndef IMG_CLI_VIEW_H
#define IMG_CLI_VIEW_H

/*
 * A throw-away snapshot of a container or an image, for reading: consistent,
 * its journal replayed, and gone at the end whatever happens.  Nothing of the
 * object itself is changed; a running container's writes go on.
 */
#include "cli/object.h"

struct view {
	struct volume_pending pending;
	char node[VOLUME_NODE_MAX];
};

/* Takes the snapshot and makes its device; view_release undoes both. */
int view_open(struct store *store, const struct object *object,
	      struct view *ret, struct img_err *err) IMG_MUST_USE;
void view_release(struct view *view);

#endif
