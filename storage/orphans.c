#include "storage/orphans.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "storage/ledger.h"
#include "storage/recover.h"
#include "storage/store_impl.h"

void volume_ids_release(struct volume_ids *ids)
{
	img_mem_release(&ids->id);
	*ids = (struct volume_ids){ 0 };
}

void volume_ids_add(struct volume_ids *ids, uint32_t id)
{
	if (ids->n == ids->room) {
		ids->room = ids->room ? 2 * ids->room : 64;
		ids->id = mem_realloc(ids->id, ids->room * sizeof(*ids->id));
	}
	ids->id[ids->n++] = id;
}

bool volume_ids_has(const struct volume_ids *ids, uint32_t id)
{
	size_t low = 0, high = ids->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (ids->id[mid] == id)
			return true;
		if (ids->id[mid] < id)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

int orphans_list_pool(struct store *store, struct volume_ids *ret,
		      struct img_err *err)
{
	bool is_new;

	return store->driver->list(store, ret, &is_new, err);
}

struct ledger_look {
	struct store *store;
	const struct volume_ids *pool;
	bool adopt;
	struct volume_ids recorded;
};

static void ledger_look_release(struct ledger_look *look)
{
	volume_ids_release(&look->recorded);
}

/* An image that only the ledger knows: the power went between its record and
 * the catalog's commit, or the catalog is an older one. */
static int look_at_record(void *self, const struct ledger_record *record,
			  struct img_err *err)
{
	struct ledger_look *look = self;
	struct volume volume;
	struct img_err missing = { 0 };

	volume_ids_add(&look->recorded, record->volume);
	if (!look->adopt || !look->store->adopt ||
	    !volume_ids_has(look->pool, record->volume) ||
	    volume_find(look->store, record->volume, &volume, &missing) !=
		    -IMG_E_NOT_FOUND)
		return 0;
	return look->store->adopt(look->store, record, err);
}

/* Gives an orphan a row and an intent, so that nobody takes its id meanwhile;
 * then it goes as every volume goes. */
int orphans_remove(struct store *store, uint32_t id, struct img_err *err)
{
	img_auto(volume_pending_release) struct volume_pending orphan = { 0 };
	img_auto(db_txn_release) struct db *txn = NULL;
	struct img_err taken = { 0 };
	int r = db_begin(store->db, false, err);

	if (r < 0)
		return r;
	txn = store->db;
	r = db_run(store->db, &taken,
		   "INSERT INTO volumes (id, size_bytes) VALUES (?, 0)", "i",
		   (int64_t)id);
	if (r == -IMG_E_EXISTS) /* it is somebody's by now */
		return 0;
	if (r < 0) {
		*err = taken;
		return r;
	}
	r = volume_begin_delete(store, id, &orphan, err);
	if (r == 0)
		r = db_commit(store->db, err);
	if (r < 0 && orphan.store) {
		db_rollback(store->db);
		volume_keep(&orphan);
	}
	return r < 0 ? r : volume_finish_delete(&orphan, err);
}

static int list_images(struct store *store, struct volume_ids *ids,
		       struct img_err *err)
{
	img_auto(db_row_end) struct db_row *row = NULL;
	int r = db_query(store->db, &row, err,
			 "SELECT DISTINCT volume FROM images ORDER BY volume",
			 "");

	while (r >= 0 && (r = db_next(row, err)) > 0)
		volume_ids_add(ids, (uint32_t)db_int(row, 0));
	return r;
}

int orphans_keep(struct store *store, uint32_t id, struct volume *ret,
		 struct img_err *err)
{
	img_auto(volume_ids_release) struct volume_ids images = { 0 };
	img_auto(db_txn_release) struct db *txn = NULL;
	int r = list_images(store, &images, err);

	*ret = (struct volume){ .id = id };
	if (r == 0)
		r = store->driver->describe(store, id, &images, ret, err);
	if (r == 0)
		r = db_begin(store->db, true, err);
	if (r < 0)
		return r;
	txn = store->db;
	r = db_run(store->db, err,
		   "INSERT INTO volumes (id, size_bytes, origin)"
		   " VALUES (?, ?, nullif(?, 0))",
		   "iii", (int64_t)id, (int64_t)ret->size_bytes,
		   (int64_t)ret->origin);
	return r < 0 ? r : db_commit(store->db, err);
}

/* Volumes that the catalog has and nobody is at work on.  What was to become a
 * snapshot has an origin to thaw, which is recover_intents' to do. */
static int list_rows(struct store *store, struct volume_ids *ids,
		     struct img_err *err)
{
	img_auto(db_row_end) struct db_row *row = NULL;
	int r = db_query(store->db, &row, err,
			 "SELECT id FROM volumes WHERE id NOT IN"
			 " (SELECT volume FROM intents WHERE op = 'create')"
			 " ORDER BY id",
			 "");

	while (r >= 0 && (r = db_next(row, err)) > 0) {
		uint32_t id = (uint32_t)db_int(row, 0);

		r = volume_is_held(store, id, err);
		if (r == 0)
			volume_ids_add(ids, id);
	}
	return r;
}

/* Drops the rows of a volume that the pool does not have. */
int orphans_forget(struct store *store, uint32_t id, struct img_err *err)
{
	img_auto(db_txn_release) struct db *txn = NULL;
	struct img_err used = { 0 };
	int r = db_begin(store->db, false, err);

	if (r < 0)
		return r;
	txn = store->db;
	r = volume_is_held(store, id, err);
	if (r != 0)
		return r < 0 ? r : 0;
	if (store->vanished)
		r = store->vanished(store, id, err);
	if (r == 0)
		r = db_run(store->db, err,
			   "DELETE FROM intents WHERE volume = ?", "i",
			   (int64_t)id);
	if (r < 0)
		return r;
	r = db_run(store->db, &used, "DELETE FROM volumes WHERE id = ?", "i",
		   (int64_t)id);
	if (r == -IMG_E_EXISTS) /* an image's: no crash does that */
		return 0;
	if (r < 0) {
		*err = used;
		return r;
	}
	return db_commit(store->db, err);
}

/* Leaves in @rows what the pool has not. */
static void keep_missing(struct volume_ids *rows, const struct volume_ids *pool)
{
	size_t n = 0;

	for (size_t i = 0; i < rows->n; i++)
		if (!volume_ids_has(pool, rows->id[i]))
			rows->id[n++] = rows->id[i];
	rows->n = n;
}

/* What was made meanwhile is in the pool only: rows are listed first. */
int orphans_find_missing(struct store *store, struct volume_ids *ret,
			 struct img_err *err)
{
	img_auto(volume_ids_release) struct volume_ids pool = { 0 };
	int r = list_rows(store, ret, err);

	if (r >= 0)
		r = orphans_list_pool(store, &pool, err);
	if (r < 0)
		return r;
	keep_missing(ret, &pool);
	return 0;
}

/* Which volumes of @pool neither the ledger nor the catalog names.  The pool
 * was listed before: what has lost its row since then is gone from the pool. */
static int list_nobodys(struct store *store, const struct volume_ids *pool,
			bool adopt, struct volume_ids *ret, struct img_err *err)
{
	img_auto(ledger_look_release) struct ledger_look look = {
		store, pool, adopt, { 0 }
	};
	int r = ledger_each(store, look_at_record, &look, err);

	for (size_t i = 0; r >= 0 && i < pool->n; i++) {
		struct img_err missing = { 0 };
		struct volume volume;

		if (volume_ids_has(&look.recorded, pool->id[i]))
			continue;
		r = volume_find(store, pool->id[i], &volume, &missing);
		if (r == -IMG_E_NOT_FOUND) {
			volume_ids_add(ret, pool->id[i]);
			r = 0;
		} else if (r < 0) {
			*err = missing;
		}
	}
	return r < 0 ? r : 0;
}

int orphans_find(struct store *store, struct volume_ids *ret,
		 struct img_err *err)
{
	img_auto(volume_ids_release) struct volume_ids before = { 0 };
	img_auto(volume_ids_release) struct volume_ids found = { 0 };
	img_auto(volume_ids_release) struct volume_ids after = { 0 };
	int r = orphans_list_pool(store, &before, err);

	if (r < 0 || before.n == 0)
		return r;
	r = list_nobodys(store, &before, false, &found, err);
	if (r < 0 || found.n == 0)
		return r;
	r = orphans_list_pool(store, &after, err);
	for (size_t i = 0; r >= 0 && i < found.n; i++)
		if (volume_ids_has(&after, found.id[i]))
			volume_ids_add(ret, found.id[i]);
	return r;
}

int recover_orphans(struct store *store, struct img_err *err)
{
	img_auto(volume_ids_release) struct volume_ids rows = { 0 };
	img_auto(volume_ids_release) struct volume_ids pool = { 0 };
	img_auto(volume_ids_release) struct volume_ids nobodys = { 0 };
	bool is_new = false;
	int r;

	/* In this order: what is made meanwhile is in the pool only. */
	r = list_rows(store, &rows, err);
	if (r >= 0)
		r = store->driver->list(store, &pool, &is_new, err);
	if (r < 0 || is_new)
		return r;
	keep_missing(&rows, &pool);
	for (size_t i = 0; r >= 0 && i < rows.n; i++)
		r = orphans_forget(store, rows.id[i], err);
	if (r >= 0)
		r = list_nobodys(store, &pool, true, &nobodys, err);
	for (size_t i = 0; r >= 0 && i < nobodys.n; i++)
		r = orphans_remove(store, nobodys.id[i], err);
	return r < 0 ? r : 0;
}
