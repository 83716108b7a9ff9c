#include "image/image_merge.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"
#include "image/record.h"
#include "image/rows.h"
#include "storage/ledger.h"

static struct image_step new_step(const struct image *new,
				  const struct image_merge *merge)
{
	return (struct image_step){
		.layer = new->id.hex,
		.created_ns = new->created_ns,
		.created_by = merge->created_by,
		.comment = merge->comment,
	};
}

/* The new image with all names of the old one, and its history. */
static int put_new(struct store *store, const struct image *new,
		   const struct image_merge *merge, struct img_err *err)
{
	const char *old = merge->image->id.hex;
	const struct image_step step = new_step(new, merge);
	json_t *names = NULL, *history = NULL;
	int r = image_record_names(store, old, &names, err);

	if (r == 0)
		r = image_record_history(store, old, &history, err);
	if (r < 0) {
		json_decref(names);
		json_decref(history);
		return r;
	}
	image_record_add_step(history, &step);
	return image_record_put(store, new, names, history, err);
}

static int put_old(struct store *store, const struct image *old,
		   struct img_err *err)
{
	json_t *history = NULL;
	int r = image_record_history(store, old->id.hex, &history, err);

	return r < 0 ? r
		     : image_record_put(store, old, json_array(), history, err);
}

/* The row of a volume's image becomes another image's; what names it follows
 * before the commit looks. */
static int turn_row(struct db *db, const struct image *new,
		    const struct image *old, struct img_err *err)
{
	int r = db_run(db, err, "PRAGMA defer_foreign_keys = ON", "");

	if (r >= 0)
		r = db_run(db, err,
			   "UPDATE images SET id = ?, parent = nullif(?, ''),"
			   " created_ns = ?, config = ? WHERE id = ?",
			   "ssiss", new->id.hex, new->parent.hex,
			   new->created_ns, new->config, old->id.hex);
	if (r == 0)
		return img_err_set(err, IMG_E_NOT_FOUND, 0,
				   "there is no image %.12s any more",
				   old->id.hex);
	return r < 0 ? r : 0;
}

static int move_history(struct db *db, const struct image *new,
			const struct image_merge *merge, struct img_err *err)
{
	const char *old = merge->image->id.hex;
	const struct image_step step = new_step(new, merge);
	int r;

	if (merge->volume)
		r = image_steps_copy(db, old, new->id.hex, err);
	else
		r = db_run(db, err,
			   "UPDATE history SET image = ? WHERE image = ?", "ss",
			   new->id.hex, old);
	return r < 0 ? r : image_step_add(db, new->id.hex, &step, err);
}

static int change_rows(struct store *store, const struct image *new,
		       const struct image_merge *merge, struct img_err *err)
{
	struct db *db = store_db(store);
	img_auto(db_txn_release) struct db *txn = NULL;
	int r = db_begin(db, true, err);

	if (r < 0)
		return r;
	txn = db;
	r = merge->volume ? image_row_add(db, new, err)
			  : turn_row(db, new, merge->image, err);
	if (r == 0)
		r = move_history(db, new, merge, err);
	if (r == 0)
		r = db_run(db, err,
			   "UPDATE names SET image = ? WHERE image = ?", "ss",
			   new->id.hex, merge->image->id.hex);
	if (r >= 0)
		r = merge->rows(merge->self, &new->id, err);
	if (r == 0 && merge->volume)
		r = volume_settle(merge->volume, err);
	return r < 0 ? r : db_commit(db, err);
}

/* What the ledger says of the volume again: of a new one nothing. */
static void take_back(struct store *store, const struct image_merge *merge)
{
	struct img_err dropped = { 0 }; /* the first failure counts */
	json_t *names = NULL, *history = NULL;

	if (merge->volume) {
		if (ledger_drop(store, merge->volume->volume.id, &dropped) < 0)
			volume_keep(merge->volume);
		return;
	}
	if (image_record_names(store, merge->image->id.hex, &names, &dropped) ==
		    0 &&
	    image_record_history(store, merge->image->id.hex, &history,
				 &dropped) == 0) {
		IMG_IGNORE(image_record_put(store, merge->image, names, history,
					    &dropped));
		return;
	}
	json_decref(names);
	json_decref(history);
}

int image_merge(struct store *store, const struct image_merge *merge,
		struct id *ret_id, struct img_err *err)
{
	const struct image *old = merge->image;
	img_auto(img_mem_release) char *created_by =
		image_record_text(merge->created_by);
	img_auto(img_mem_release) char *comment =
		image_record_text(merge->comment);
	struct image_merge clean = *merge;
	img_auto(image_release) struct image new = {
		.parent = merge->keep ? old->id : old->parent,
		.volume = merge->volume ? merge->volume->volume : old->volume,
		.created_ns = clock_now_ns(),
		.config = mem_strdup(merge->config),
	};
	img_auto(lock_release) struct lock records = { .fd = -1 };
	int r = id_new(&new.id, err);

	clean.created_by = created_by;
	clean.comment = comment;
	if (r == 0)
		r = ledger_begin(store, &records, err);
	if (r == 0)
		r = put_new(store, &new, &clean, err);
	if (r == 0)
		r = change_rows(store, &new, &clean, err);
	if (r < 0) {
		db_rollback(store_db(store));
		take_back(store, merge);
		return r;
	}
	if (merge->volume)
		volume_keep(merge->volume);
	*ret_id = new.id;
	if (merge->volume && merge->keep)
		return put_old(store, old, err);
	lock_release(&records);
	return merge->volume ? image_remove(store, old, 0, NULL, err) : 0;
}
