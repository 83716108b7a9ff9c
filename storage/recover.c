#include "storage/recover.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "storage/hold.h"
#include "storage/intent.h"
#include "storage/ledger.h"
#include "storage/merge.h"
#include "storage/resize.h"
#include "storage/share.h"
#include "storage/use_impl.h"
#include "storage/volume_impl.h"

/* A snapshot of it that began before its removal was on record is taken when
 * this returns; what begins now finds the record (storage/volume_make.c). */
static int await_copies(struct store *store, uint32_t id, struct img_err *err)
{
	img_auto(lock_release) struct lock lock = { .fd = -1 };

	return volume_lock(store, id, &lock, err);
}

int recover_remove(struct store *store, const struct volume *volume,
		   int64_t intent, struct img_err *err)
{
	img_auto(db_txn_release) struct db *txn = NULL;
	int r;

	r = await_copies(store, volume->id, err);
	if (r == 0)
		r = volume_retry(store, volume, store->driver->destroy, err);
	if (r == 0)
		r = db_begin(store->db, false, err);
	if (r < 0)
		return r;
	txn = store->db;
	r = db_run(store->db, err, "DELETE FROM volumes WHERE id = ?", "i",
		   (int64_t)volume->id);
	if (r >= 0)
		r = intent_end(store, intent, err);
	return r < 0 ? r : db_commit(store->db, err);
}

/* Another snapshot of it may be under way, which must not be disturbed. */
static int thaw(struct store *store, const struct volume *origin,
		struct img_err *err)
{
	img_auto(lock_release) struct lock lock = { .fd = -1 };
	int r = volume_lock(store, origin->id, &lock, err);

	return r < 0 ? r : store->driver->thaw(store, origin, err);
}

/* A snapshot that died half-way may have left its origin frozen. */
static int undo_create(struct store *store, const struct volume *volume,
		       int64_t intent, struct img_err *err)
{
	struct volume origin = { .id = volume->origin };
	int r = origin.id ? thaw(store, &origin, err) : 0;

	/* It may have been recorded as an image already. */
	if (r == 0)
		r = ledger_drop(store, volume->id, err);
	return r < 0 ? r : recover_remove(store, volume, intent, err);
}

static int end_run(struct store *store, const struct volume *volume,
		   int64_t intent, struct img_err *err)
{
	img_auto(db_txn_release) struct db *txn = NULL;
	enum intent_op op;
	int r;

	r = volume_deactivate(store, volume, err);
	if (r == 0 && store->run_ended)
		r = store->run_ended(store, volume->id, err);
	if (r == 0)
		r = db_begin(store->db, false, err);
	if (r < 0)
		return r;
	txn = store->db;
	/* The hook may have asked for the volume's removal. */
	r = intent_op(store, intent, &op, err);
	if (r > 0 && op == INTENT_DELETE) {
		db_rollback(store->db);
		return recover_remove(store, volume, intent, err);
	}
	if (r >= 0)
		r = intent_end(store, intent, err);
	return r < 0 ? r : db_commit(store->db, err);
}

/* What the kernel holds in the place of a process.  Once it has let go, the
 * device goes, and a throw-away snapshot with it; until then all stays. */
static int end_view(struct store *store, const struct volume *volume,
		    int64_t intent, struct img_err *err)
{
	int r = use_is_over(store, volume->id, intent, INTENT_VIEW, err);

	if (r <= 0)
		return r;
	use_place_remove(store, intent);
	return recover_remove(store, volume, intent, err);
}

/* The device must not go while a snapshot of it is taken. */
static int end_use(struct store *store, const struct volume *volume,
		   int64_t intent, enum intent_op op, struct img_err *err)
{
	img_auto(lock_release) struct lock lock = { .fd = -1 };
	int r = volume_lock(store, volume->id, &lock, err);

	if (r == 0)
		r = use_is_over(store, volume->id, intent, op, err);
	if (r <= 0)
		return r;
	use_place_remove(store, intent);
	if (op == INTENT_LOOK && r == USE_LAST)
		r = store->driver->deactivate(store, volume, err);
	return r < 0 ? r : intent_end_alone(store, intent, err);
}

int recover_held(struct store *store, int64_t intent, uint32_t id,
		 struct img_err *err)
{
	struct volume volume = { .id = id };
	struct img_err missing = { 0 };
	enum intent_op op;
	int r;

	/* Now that the byte is ours: is the row still there? */
	r = intent_op(store, intent, &op, err);
	if (r <= 0)
		return r;
	r = store_need_pool(store, err);
	if (r == 0 && op == INTENT_HOLD) {
		r = hold_drop_stale(store, err);
		return r < 0 ? r : intent_end_alone(store, intent, err);
	}
	if (r < 0)
		return r;
	r = volume_find(store, id, &volume, &missing);
	if (r == -IMG_E_NOT_FOUND) /* removed after its owner had died */
		return intent_end_alone(store, intent, err);
	if (r < 0) {
		*err = missing;
		return r;
	}
	switch (op) {
	case INTENT_RUN:
		return end_run(store, &volume, intent, err);
	case INTENT_CREATE:
		return undo_create(store, &volume, intent, err);
	case INTENT_MERGE:
		return merge_go_on(store, &volume, intent, NULL, err);
	case INTENT_VIEW:
		return end_view(store, &volume, intent, err);
	case INTENT_LOOK:
	case INTENT_ACTIVE:
		return end_use(store, &volume, intent, op, err);
	case INTENT_SHARE:
	case INTENT_FILL:
		return share_recover(store, &volume, intent, err);
	case INTENT_RESIZE:
		return resize_recover(store, &volume, intent, err);
	case INTENT_DELETE:
	case INTENT_HOLD:
		break;
	}
	/* Its owner may have died before the ledger heard of it. */
	r = ledger_drop(store, id, err);
	return r < 0 ? r : recover_remove(store, &volume, intent, err);
}

struct leftover {
	int64_t intent;
	uint32_t volume;
};

/* All intents, read at once so that no query is open while they change.
 * Snapshots come first: one that died half-way left its origin frozen, and
 * until that is thawed a container on it cannot end. */
static int list_intents(struct store *store, int64_t after,
			struct leftover **ret, size_t *ret_count,
			struct img_err *err)
{
	img_auto(img_mem_release) struct leftover *list = NULL;
	img_auto(db_row_end) struct db_row *row = NULL;
	size_t count = 0, room = 0;
	int r = db_query(store->db, &row, err,
			 "SELECT id, volume FROM intents WHERE id > ?"
			 " ORDER BY op <> 'create', id",
			 "i", after);

	while (r >= 0 && (r = db_next(row, err)) > 0) {
		if (count == room) {
			room = room ? 2 * room : 16;
			list = mem_realloc(list, room * sizeof(*list));
		}
		list[count++] = (struct leftover){
			.intent = db_int(row, 0),
			.volume = (uint32_t)db_int(row, 1),
		};
	}
	if (r < 0)
		return r;
	*ret = img_mem_take(&list);
	*ret_count = count;
	return 0;
}

int recover_intent(struct store *store, int64_t intent, uint32_t volume,
		   struct img_err *err)
{
	int r = intent_adopt(store, intent, err);

	if (r <= 0)
		return r < 0 ? r : 1;
	r = recover_held(store, intent, volume, err);
	db_rollback(store->db);
	intent_drop(store, intent);
	return r;
}

/* Sees to the intents after *after, which is moved behind them.  Returns how
 * many there were. */
static int recover_some(struct store *store, int64_t *after,
			struct img_err *err)
{
	img_auto(img_mem_release) struct leftover *list = NULL;
	size_t count = 0;
	int r = list_intents(store, *after, &list, &count, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		struct img_err one = { 0 }; /* the next open tries again */

		if (list[i].intent > *after)
			*after = list[i].intent;
		r = recover_intent(store, list[i].intent, list[i].volume, &one);
		if (r == -IMG_E_NO_DM)
			return 0; /* no device-mapper: not here, then */
	}
	return (int)count;
}

int recover_intents(struct store *store, struct img_err *err)
{
	int64_t after = 0;
	int r;

	/* One that ended may have left others: volumes that go with it. */
	do
		r = recover_some(store, &after, err);
	while (r > 0);
	return r;
}
