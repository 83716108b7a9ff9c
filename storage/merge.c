#include "storage/merge.h"

#include "base/cleanup.h"
#include "storage/use_impl.h"
#include "storage/volume_impl.h"

int merge_base(struct store *store, const struct volume *volume,
	       uint32_t *ret_base, unsigned *ret_others, struct img_err *err)
{
	*ret_base = 0;
	*ret_others = 0;
	if (!store->driver->merge_base)
		return 0;
	return store->driver->merge_base(store, volume, ret_base, ret_others,
					 err);
}

int merge_check(struct store *store, uint32_t volume, struct img_err *err)
{
	int64_t n = 0;
	int r = db_get_int(store->db, &n, err,
			   "SELECT count(*) FROM intents i"
			   " JOIN volumes v ON v.id = i.volume"
			   " WHERE i.op = 'merge'"
			   " AND (v.id = ?1 OR v.origin = ?1)",
			   "i", (int64_t)volume);

	if (r >= 0 && n > 0)
		return img_err_set(err, IMG_E_BUSY, 0,
				   "a container is being merged into its "
				   "image");
	return r < 0 ? r : 0;
}

/* Who is about to make something from one of the two has a row already. */
static int check_makers(struct store *store, uint32_t volume, uint32_t base,
			struct img_err *err)
{
	int64_t n = 0;
	int r = db_get_int(store->db, &n, err,
			   "SELECT count(*) FROM intents i"
			   " JOIN volumes v ON v.id = i.volume"
			   " WHERE i.op = 'create' AND v.origin IN (?, ?)",
			   "ii", (int64_t)volume, (int64_t)base);

	if (r >= 0 && n > 0)
		return img_err_set(err, IMG_E_BUSY, 0,
				   "something is being made from its image");
	return r < 0 ? r : 0;
}

/* The base's device must not be anybody's, nor the base about to go. */
static int check_base(struct store *store, uint32_t base, struct img_err *err)
{
	int r = volume_is_held(store, base, err);

	if (r > 0)
		return img_err_set(err, IMG_E_BUSY, 0,
				   "another process is using its image");
	if (r == 0)
		r = use_check(store, base, INTENT_DELETE, err);
	return r < 0 ? img_err_prefix(err, "its image") : 0;
}

/* The origin is what says later which base is taking part; a container that is
 * larger than its image makes that as large. */
static int note(struct store *store, const struct volume *volume, uint32_t base,
		struct img_err *err)
{
	int r = db_run(store->db, err,
		       "UPDATE volumes SET origin = ? WHERE id = ?", "ii",
		       (int64_t)base, (int64_t)volume->id);

	if (r >= 0)
		r = db_run(store->db, err,
			   "UPDATE volumes SET size_bytes ="
			   " max(size_bytes, ?) WHERE id = ?",
			   "ii", (int64_t)volume->size_bytes, (int64_t)base);
	return r < 0 ? r : 0;
}

int merge_begin(struct store *store, const struct volume *volume,
		struct volume_pending *ret, struct img_err *err)
{
	unsigned others;
	uint32_t base;
	int r = merge_base(store, volume, &base, &others, err);

	if (r == 0 && (base == 0 || others > 0))
		r = img_err_set(err, IMG_E_BUSY, 0,
				"others are made from its image");
	if (r == 0)
		r = use_check(store, volume->id, INTENT_DELETE, err);
	if (r == 0)
		r = check_base(store, base, err);
	if (r == 0)
		r = check_makers(store, volume->id, base, err);
	if (r == 0)
		r = note(store, volume, base, err);
	return r < 0 ? r : volume_begin(store, volume, INTENT_MERGE, ret, err);
}

int merge_go_on(struct store *store, const struct volume *volume,
		int64_t intent, const struct progress *progress,
		struct img_err *err)
{
	img_auto(db_txn_release) struct db *txn = NULL;
	int r;

	if (!store->driver->merge)
		return img_err_set(err, IMG_E_CORRUPT, 0,
				   "the driver %s has nothing to merge",
				   store->driver->name);
	r = store->driver->merge(store, volume, progress, err);
	/* Should a power cut bring the intent back, what is changed from now on
	 * would be merged too. */
	if (r == 0)
		r = db_begin(store->db, true, err);
	if (r < 0)
		return r;
	txn = store->db;
	r = intent_end(store, intent, err);
	return r < 0 ? r : db_commit(store->db, err);
}

int merge_finish(struct volume_pending *pending,
		 const struct progress *progress, struct img_err *err)
{
	int r = merge_go_on(pending->store, &pending->volume, pending->intent,
			    progress, err);

	volume_keep(pending); /* ended, or the next open's to go on with */
	return r;
}
