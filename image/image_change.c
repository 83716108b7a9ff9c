#include "image/image.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"
#include "image/record.h"
#include "image/rows.h"
#include "storage/ledger.h"

#include <string.h>

/*
 * Changes of images: the ledger first, then one durable transaction.  What a
 * crash leaves between the two was not acknowledged and harms nobody: a name
 * too many in the ledger, or the record of a volume that recovery removes.
 */

static struct image_step new_step(const struct image *image,
				  const struct image_new *new)
{
	return (struct image_step){
		.layer = image->id.hex,
		.created_ns = image->created_ns,
		.created_by = new->created_by,
		.comment = new->comment,
	};
}

static int insert_history(struct db *db, const struct image *image,
			  const struct image_new *new, struct img_err *err)
{
	const struct image_step step = new_step(image, new);
	int r = 0;

	if (new->parent)
		r = image_steps_copy(db, new->parent->id.hex, image->id.hex,
				     err);
	return r < 0 ? r : image_step_add(db, image->id.hex, &step, err);
}

static int insert_rows(struct store *store, const struct image *image,
		       const struct image_new *new, struct img_err *err)
{
	struct db *db = store_db(store);
	img_auto(db_txn_release) struct db *txn = NULL;
	int r = db_begin(db, true, err);

	if (r < 0)
		return r;
	txn = db;
	r = image_row_add(db, image, err);
	if (r >= 0)
		r = insert_history(db, image, new, err);
	if (r >= 0 && new->name)
		r = image_name_set(db, image->id.hex, new->name, err);
	if (r >= 0)
		r = volume_settle(new->volume, err);
	return r < 0 ? r : db_commit(db, err);
}

static int put_record(struct store *store, const struct image *image,
		      const struct image_new *new, struct img_err *err)
{
	const struct image_step step = new_step(image, new);
	json_t *names = json_array();
	json_t *history = json_array();
	int r = 0;

	if (new->parent) {
		json_decref(history);
		r = image_record_history(store, new->parent->id.hex, &history,
					 err);
	}
	image_record_add_step(history, &step);
	if (new->name) {
		img_auto(img_mem_release) char *text =
			mem_printf("%s:%s", new->name->name, new->name->tag);

		(void)json_array_append_new(names, json_string(text));
	}
	if (r < 0) {
		json_decref(names);
		json_decref(history);
		return r;
	}
	return image_record_put(store, image, names, history, err);
}

/* A record that could not be synced may be there all the same.  Where it
 * cannot be taken back, the volume must not go before it: both are left to the
 * next open of the store. */
static void take_back(struct volume_pending *pending)
{
	struct img_err dropped = { 0 }; /* the first failure counts */

	if (ledger_drop(pending->store, pending->volume.id, &dropped) < 0)
		volume_keep(pending);
}

static int put_names(struct store *store, const struct image *image,
		     const struct image_name *name, bool with,
		     struct img_err *err);

/* The record of whoever has the name now must not claim it any more: if the
 * other one lost it later, the name would come back with a rebuilt catalog. */
static int take_name(struct store *store, const struct image_name *name,
		     const struct id *taker, struct img_err *err)
{
	img_auto(img_mem_release) char *ref =
		mem_printf("%s:%s", name->name, name->tag);
	img_auto(image_release) struct image owner = { 0 };
	struct img_err missing = { 0 };
	int r = image_find(store, ref, &owner, &missing);

	if (r == -IMG_E_NOT_FOUND || strcmp(owner.id.hex, taker->hex) == 0)
		return 0;
	if (r < 0) {
		*err = missing;
		return r;
	}
	return put_names(store, &owner, name, false, err);
}

int image_add(struct store *store, const struct image_new *new,
	      struct id *ret_id, struct img_err *err)
{
	img_auto(image_release) struct image image = {
		.volume = new->volume->volume,
		.created_ns = clock_now_ns(),
		.config = mem_strdup(new->config),
	};
	img_auto(img_mem_release) char *created_by =
		image_record_text(new->created_by);
	img_auto(img_mem_release) char *comment =
		image_record_text(new->comment);
	img_auto(lock_release) struct lock records = { .fd = -1 };
	struct image_new clean = *new;
	int r = id_new(&image.id, err);

	if (r < 0)
		return r;
	if (new->parent)
		image.parent = new->parent->id;
	clean.created_by = created_by;
	clean.comment = comment;
	r = ledger_begin(store, &records, err);
	if (r == 0)
		r = put_record(store, &image, &clean, err);
	if (r == 0 && new->name)
		r = take_name(store, new->name, &image.id, err);
	if (r == 0)
		r = insert_rows(store, &image, &clean, err);
	if (r < 0) {
		take_back(new->volume);
		return r;
	}
	volume_keep(new->volume);
	*ret_id = image.id;
	return 0;
}

static int in_txn(struct store *store,
		  int (*fn)(struct db *db, const char *id,
			    const struct image_name *name, struct img_err *err),
		  const struct image *image, const struct image_name *name,
		  struct img_err *err)
{
	img_auto(db_txn_release) struct db *txn = NULL;
	int r = db_begin(store_db(store), true, err);

	if (r < 0)
		return r;
	txn = store_db(store);
	r = fn(txn, image->id.hex, name, err);
	return r < 0 ? r : db_commit(store_db(store), err);
}

/* Puts the record anew, with @name among its names or not. */
static int put_names(struct store *store, const struct image *image,
		     const struct image_name *name, bool with,
		     struct img_err *err)
{
	img_auto(img_mem_release) char *text =
		mem_printf("%s:%s", name->name, name->tag);
	json_t *names = NULL, *history = NULL, *item;
	size_t i;
	int r = image_record_names(store, image->id.hex, &names, err);

	if (r == 0)
		r = image_record_history(store, image->id.hex, &history, err);
	if (r < 0) {
		json_decref(names);
		json_decref(history);
		return r;
	}
	json_array_foreach(names, i,
			   item) if (strcmp(json_string_value(item), text) == 0)
	{
		(void)json_array_remove(names, i);
		break;
	}
	if (with)
		(void)json_array_append_new(names, json_string(text));
	return image_record_put(store, image, names, history, err);
}

int image_check(struct store *store, const struct image *image,
		struct img_err *err)
{
	int64_t one;
	int r = db_get_int(store_db(store), &one, err,
			   "SELECT 1 FROM images WHERE id = ?", "s",
			   image->id.hex);

	if (r == 0)
		return img_err_set(err, IMG_E_NOT_FOUND, 0,
				   "there is no image %.12s any more",
				   image->id.hex);
	return r < 0 ? r : 0;
}

/* To change the names of an image, which was found before we were alone with
 * it. */
static int names_begin(struct store *store, const struct image *image,
		       struct lock *ret, struct img_err *err)
{
	int r = ledger_begin(store, ret, err);

	return r < 0 ? r : image_check(store, image, err);
}

/* How many names it has, or a negative code. */
static int count_names(struct store *store, const struct image *image,
		       struct img_err *err)
{
	int64_t n;
	int r = db_get_int(store_db(store), &n, err,
			   "SELECT count(*) FROM names WHERE image = ?", "s",
			   image->id.hex);

	return r < 0 ? r : (int)n;
}

int image_tag(struct store *store, const struct image *image,
	      const struct image_name *name, struct img_err *err)
{
	img_auto(lock_release) struct lock records = { .fd = -1 };
	int r = names_begin(store, image, &records, err);

	if (r == 0)
		r = put_names(store, image, name, true, err);
	if (r == 0)
		r = take_name(store, name, &image->id, err);
	return r < 0 ? r : in_txn(store, image_name_set, image, name, err);
}

static int drop_name(struct db *db, const char *id,
		     const struct image_name *name, struct img_err *err)
{
	int r = db_run(db, err,
		       "DELETE FROM names"
		       " WHERE name = ? AND tag = ? AND image = ?",
		       "sss", name->name, name->tag, id);

	if (r == 0)
		return img_err_set(err, IMG_E_NOT_FOUND, 0,
				   "there is no image '%s:%s'", name->name,
				   name->tag);
	return r < 0 ? r : 0;
}

int image_untag(struct store *store, const struct image *image,
		const struct image_name *name, struct img_err *err)
{
	img_auto(lock_release) struct lock records = { .fd = -1 };
	int r = names_begin(store, image, &records, err);

	if (r == 0)
		r = count_names(store, image, err);
	if (r == 1)
		return img_err_set(err, IMG_E_BUSY, 0,
				   "its other names were removed meanwhile");
	if (r >= 0)
		r = put_names(store, image, name, false, err);
	return r < 0 ? r : in_txn(store, drop_name, image, name, err);
}

static int delete_rows(struct store *store, const struct image *image,
		       image_may_go_fn *may_go, struct volume_pending *ret,
		       struct img_err *err)
{
	struct db *db = store_db(store);
	img_auto(db_txn_release) struct db *txn = NULL;
	int r = db_begin(db, true, err);

	if (r < 0)
		return r;
	txn = db;
	if (may_go)
		r = may_go(store, image, err);
	if (r < 0)
		return r;
	/* Names and history go with it. */
	r = db_run(db, err, "DELETE FROM images WHERE id = ?", "s",
		   image->id.hex);
	if (r >= 0)
		r = volume_begin_delete(store, image->volume.id, ret, err);
	if (r == 0)
		r = db_commit(db, err);
	if (r < 0 && ret->store) {
		db_rollback(db);
		volume_keep(ret);
	}
	return r;
}

struct removal {
	struct store *store;
	const struct image *image;
	size_t n_names;
	image_may_go_fn *may_go;
	struct lock records;
	struct volume_pending gone;
};

/* Alone with the records until its own is dropped, or this has failed. */
static int remove_rows(void *self, struct img_err *err)
{
	struct removal *removal = self;
	struct store *store = removal->store;
	const struct image *image = removal->image;
	int r = names_begin(store, image, &removal->records, err);

	if (r == 0)
		r = count_names(store, image, err);
	if (r >= 0 && r != (int)removal->n_names)
		r = img_err_set(err, IMG_E_BUSY, 0,
				"its names were changed meanwhile");
	if (r >= 0)
		r = delete_rows(store, image, removal->may_go, &removal->gone,
				err);
	if (r < 0)
		lock_release(&removal->records);
	return r;
}

int image_remove(struct store *store, const struct image *image, size_t n_names,
		 image_may_go_fn *may_go, struct img_err *err)
{
	struct removal removal = { .store = store,
				   .image = image,
				   .n_names = n_names,
				   .may_go = may_go,
				   .records = { .fd = -1 } };
	img_auto(lock_release) struct lock records = { .fd = -1 };
	int r = volume_when_free(store, image->volume.id, remove_rows, &removal,
				 err);

	records = removal.records;
	if (r < 0)
		return r;
	r = ledger_drop(store, image->volume.id, err);
	lock_release(&records); /* what follows may take long */
	if (r < 0) {
		volume_keep(&removal.gone); /* the next open goes on with it */
		return r;
	}
	return volume_finish_delete(&removal.gone, err);
}
