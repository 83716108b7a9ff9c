#include "cli/container.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "cli/clock.h"
#include "image/image.h"

#include <inttypes.h>

/* 1 with the image whose volume that is, 0 when there is none. */
static int image_on(struct store *store, uint32_t volume, struct image *ret,
		    struct img_err *err)
{
	img_auto(db_row_end) struct db_row *row = NULL;
	int r = db_query(store_db(store), &row, err,
			 "SELECT id FROM images WHERE volume = ?", "i",
			 (int64_t)volume);

	if (r == 0)
		r = db_next(row, err);
	return r <= 0 ? r : image_get(store, db_text(row, 0), ret, err);
}

static int first_name(void *self, const struct image_name *name,
		      struct img_err *err)
{
	*(char **)self = mem_printf("%s:%s", name->name, name->tag);
	return 1;
}

static int describe(struct store *store, const struct volume *volume,
		    struct container_row *row, struct img_err *err)
{
	img_auto(image_release) struct image image = { 0 };
	int r = image_on(store, volume->origin, &image, err);

	if (r > 0) {
		row->image = image.id;
		row->config = mem_strdup(image.config);
		r = image_each_name(store, image.id.hex, first_name,
				    &row->image_name, err);
	}
	if (!row->config)
		row->config = mem_strdup("{}");
	if (!row->image_name)
		row->image_name = mem_printf("%.12s", row->image.hex);
	return r < 0 ? r : 0;
}

/* A container that nobody knows any more gets an id and a name of its own. */
static int make_up(struct store *store, const struct volume *volume,
		   struct container_row *row, struct img_err *err)
{
	int r = id_new(&row->id, err);

	if (r == 0)
		r = describe(store, volume, row, err);
	(void)snprintf(row->name, sizeof(row->name), "recovered-%" PRIu32,
		       volume->id);
	return r;
}

static int insert(struct store *store, struct container_row *row,
		  struct img_err *err)
{
	img_auto(db_txn_release) struct db *txn = NULL;
	int r = db_begin(store_db(store), true, err);

	if (r < 0)
		return r;
	txn = store_db(store);
	r = container_insert(store, row, err);
	if (r == 0)
		r = container_set_finished(store, row, CONTAINER_UNSEEN, err);
	return r < 0 ? r : db_commit(store_db(store), err);
}

int container_recover(struct store *store, const struct volume *volume,
		      struct img_err *err)
{
	img_auto(container_row_release) struct container_row noted = { 0 };
	img_auto(container_row_release) struct container_row row = {
		.volume = *volume,
		.created_ns = clock_now_ns(),
	};
	struct img_err taken = { 0 };
	int r;

	/* They ran, and nobody knows how that ended. */
	if (container_find_note(store, volume->id, &noted)) {
		noted.volume = *volume;
		noted.started_ns = noted.created_ns;
		r = insert(store, &noted, &taken);
		if (r != -IMG_E_EXISTS) { /* else another has its name */
			if (r < 0)
				*err = taken;
			return r;
		}
	}
	row.started_ns = row.created_ns;
	r = make_up(store, volume, &row, err);
	return r < 0 ? r : insert(store, &row, err);
}
