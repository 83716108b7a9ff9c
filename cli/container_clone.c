#include "cli/container.h"

#include "base/cleanup.h"
#include "cli/clock.h"
#include "cli/event.h"
#include "storage/use.h"

#include <stdio.h>

static int record(struct store *store, struct container_row *row,
		  struct volume_pending *new, struct img_err *err)
{
	img_auto(db_txn_release) struct db *txn = NULL;
	int r = db_begin(store_db(store), true, err);

	if (r < 0)
		return r;
	txn = store_db(store);
	row->volume = new->volume;
	row->created_ns = clock_now_ns();
	if (!row->name[0])
		r = container_name_invent(store, row->name, err);
	if (r == 0)
		r = container_insert(store, row, err);
	if (r == 0)
		r = volume_settle(new, err);
	if (r == 0)
		r = db_commit(store_db(store), err);
	if (r == 0)
		volume_keep(new);
	return r;
}

/* Nobody's file system is frozen for a name that is taken. */
static int choose_name(struct store *store, const char *name,
		       struct container_row *row, struct img_err *err)
{
	if (!name) /* it is made up in the transaction that takes it */
		return 0;
	(void)snprintf(row->name, sizeof(row->name), "%s", name);
	return container_name_check_free(store, name, err);
}

int container_clone(struct store *store, const struct container_row *from,
		    const char *name, struct id *ret, struct img_err *err)
{
	img_auto(volume_pending_release) struct volume_pending new = { 0 };
	/* Texts are the other's: nothing here is released. */
	struct container_row row = {
		.image = from->image,
		.image_name = from->image_name,
		.auto_remove = from->auto_remove,
		.config = from->config,
	};
	int r = choose_name(store, name, &row, err);

	if (r == 0)
		r = id_new(&row.id, err);
	if (r == 0)
		r = use_check_settled(store, from->volume.id, err);
	if (r == 0)
		r = volume_snapshot(store, &from->volume, &new, err);
	if (r == 0)
		r = record(store, &row, &new, err);
	if (r == 0 && !row.auto_remove)
		container_note(store, &row);
	if (r == 0)
		event_write(store, "create", &row);
	*ret = row.id;
	return r;
}
