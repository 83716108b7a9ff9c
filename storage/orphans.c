#include "storage/recover.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "storage/ledger.h"
#include "storage/meta.h"
#include "storage/volume_impl.h"

#include <fcntl.h>

/* Ids of the pool's volumes, ascending. */
struct ids {
	uint32_t *id;
	size_t n, room;
};

static void ids_release(struct ids *ids)
{
	img_mem_release(&ids->id);
}

static void add(struct ids *ids, uint32_t id)
{
	if (ids->n == ids->room) {
		ids->room = ids->room ? 2 * ids->room : 64;
		ids->id = mem_realloc(ids->id, ids->room * sizeof(*ids->id));
	}
	ids->id[ids->n++] = id;
}

static int add_dev(void *self, const struct thin_meta_dev *dev,
		   struct img_err *err)
{
	add(self, dev->id);
	return 0;
}

static bool has(const struct ids *ids, uint32_t id)
{
	for (size_t i = 0; i < ids->n; i++)
		if (ids->id[i] == id)
			return true;
	return false;
}

static int list_pool(struct store *store, struct ids *ids, struct img_err *err)
{
	img_auto(thin_meta_release) struct thin_meta *meta = NULL;
	img_auto(img_mem_release) char *path = NULL;
	img_auto(img_fd_release) int fd = -1;
	int r;

	path = mem_printf("%s/pool/metadata", store->root);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return img_err_sys(err, "cannot open %s", path);
	r = thin_meta_open(fd, NULL, &meta, err);
	return r < 0 ? r : thin_meta_each_dev(meta, add_dev, ids, err);
}

struct ledger_look {
	struct store *store;
	const struct ids *pool;
	struct ids recorded;
};

static void ledger_look_release(struct ledger_look *look)
{
	ids_release(&look->recorded);
}

/* An image that only the ledger knows: the power went between its record and
 * the catalog's commit, or the catalog is an older one. */
static int look_at_record(void *self, const struct ledger_record *record,
			  struct img_err *err)
{
	struct ledger_look *look = self;
	struct volume volume;
	struct img_err missing = { 0 };

	add(&look->recorded, record->volume);
	if (!look->store->adopt || !has(look->pool, record->volume) ||
	    volume_find(look->store, record->volume, &volume, &missing) !=
		    -IMG_E_NOT_FOUND)
		return 0;
	return look->store->adopt(look->store, record, err);
}

/* Gives an orphan a row and an intent, so that nobody takes its id meanwhile;
 * then it goes as every volume goes. */
static int collect(struct store *store, uint32_t id, struct img_err *err)
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

/* Volumes that the catalog has and nobody is at work on.  What was to become a
 * snapshot has an origin to thaw, which is recover_intents' to do. */
static int list_rows(struct store *store, struct ids *ids, struct img_err *err)
{
	img_auto(db_row_end) struct db_row *row = NULL;
	int r = db_query(store->db, &row, err,
			 "SELECT id FROM volumes WHERE id NOT IN"
			 " (SELECT volume FROM intents WHERE op = 'create')",
			 "");

	while (r >= 0 && (r = db_next(row, err)) > 0) {
		uint32_t id = (uint32_t)db_int(row, 0);

		r = volume_is_held(store, id, err);
		if (r == 0)
			add(ids, id);
	}
	return r;
}

/* Drops the rows of a volume that the pool does not have. */
static int forget(struct store *store, uint32_t id, struct img_err *err)
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

int recover_orphans(struct store *store, struct img_err *err)
{
	img_auto(ids_release) struct ids rows = { 0 };
	img_auto(ids_release) struct ids pool = { 0 };
	img_auto(ledger_look_release) struct ledger_look look = { store,
								  &pool,
								  { 0 } };
	int r;

	/* In this order: what is made meanwhile is in the pool only. */
	r = list_rows(store, &rows, err);
	if (r >= 0)
		r = list_pool(store, &pool, err);
	if (r < 0 || pool.n == 0)
		return r;
	for (size_t i = 0; r >= 0 && i < rows.n; i++)
		if (!has(&pool, rows.id[i]))
			r = forget(store, rows.id[i], err);
	if (r >= 0)
		r = ledger_each(store, look_at_record, &look, err);
	for (size_t i = 0; r >= 0 && i < pool.n; i++) {
		struct volume volume = { .id = pool.id[i] };
		struct img_err missing = { 0 };

		if (volume.id == LEDGER_VOLUME ||
		    has(&look.recorded, volume.id) ||
		    volume_find(store, volume.id, &volume, &missing) !=
			    -IMG_E_NOT_FOUND)
			continue;
		r = collect(store, volume.id, err);
	}
	return r < 0 ? r : 0;
}
