#include "cli/view.h"

#include "storage/use.h"

int view_open(struct store *store, const struct object *object,
	      struct view *ret, struct img_err *err)
{
	/* A copy where it is the container's: not every driver has snapshots
	 * of snapshots. */
	int r = object->is_image ? volume_snapshot(store, &object->volume,
						   &ret->pending, err)
				 : volume_copy(store, &object->volume,
					       &ret->pending, err);

	return r < 0 ? r
		     : volume_activate(store, &ret->pending.volume, ret->node,
				       err);
}

void view_release(struct view *view)
{
	use_drop(&view->pending);
}
