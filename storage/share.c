#include "storage/share.h"

#include "base/cleanup.h"
#include "base/lock.h"
#include "storage/retry.h"
#include "storage/volume_impl.h"

#define SHARED	     (INTENT_BIT(INTENT_SHARE) | INTENT_BIT(INTENT_FILL))
#define JOIN_WAIT_MS 60000
#define END_WAIT_MS  10000

/* In a transaction: who else is there. */
static int choose(struct store *store, uint32_t id, bool *ret_alone,
		  struct img_err *err)
{
	const unsigned share = INTENT_BIT(INTENT_SHARE);
	int r = intent_is_held(store, id, ~share, err);

	if (r > 0)
		return img_err_set(err, IMG_E_BUSY, 0,
				   "another process is at work on it");
	if (r == 0)
		r = intent_is_held(store, id, share, err);
	*ret_alone = r == 0;
	return r < 0 ? r : 0;
}

static int begin_once(struct store *store, uint32_t id,
		      struct volume_pending *ret, bool *ret_alone,
		      struct img_err *err)
{
	img_auto(db_txn_release) struct db *txn = NULL;
	struct volume volume;
	int64_t intent = 0;
	int r = db_begin(store->db, false, err);

	if (r < 0)
		return r;
	txn = store->db;
	r = volume_find(store, id, &volume, err);
	if (r == 0)
		r = choose(store, id, ret_alone, err);
	if (r == 0)
		r = intent_begin(store, *ret_alone ? INTENT_FILL : INTENT_SHARE,
				 id, &intent, err);
	if (r < 0)
		return r;
	r = db_commit(store->db, err);
	if (r < 0) {
		intent_drop(store, intent);
		return r;
	}
	*ret = (struct volume_pending){
		.store = store,
		.intent = intent,
		.volume = volume,
	};
	return 0;
}

struct joining {
	struct store *store;
	uint32_t id;
	struct volume_pending *ret;
	bool *ret_alone;
};

static int join(void *arg, struct img_err *err)
{
	const struct joining *j = arg;

	return begin_once(j->store, j->id, j->ret, j->ret_alone, err);
}

int share_begin(struct store *store, uint32_t id, struct volume_pending *ret,
		bool *ret_alone, struct img_err *err)
{
	struct joining j = {
		.store = store,
		.id = id,
		.ret = ret,
		.ret_alone = ret_alone,
	};

	return retry_while_busy(join, &j, JOIN_WAIT_MS, err);
}

int share_admit(struct volume_pending *share, struct img_err *err)
{
	return intent_change_alone(share->store, share->intent, INTENT_SHARE,
				   err);
}

/* The row goes under the lock, too: of two who end at once one finds itself
 * the last. */
static int end_once(struct store *store, const struct volume *volume,
		    int64_t intent, struct img_err *err)
{
	img_auto(lock_release) struct lock lock = { .fd = -1 };
	int64_t others = 0;
	int r = volume_lock(store, volume->id, &lock, err);

	if (r == 0)
		r = db_get_int(store->db, &others, err,
			       "SELECT count(*) FROM intents WHERE volume = ?"
			       " AND id <> ? AND op IN ('share', 'fill')",
			       "ii", (int64_t)volume->id, intent);
	if (r < 0)
		return r;
	if (others == 0)
		r = store->driver->deactivate(store, volume, err);
	else
		r = 0;
	return r < 0 ? r : intent_end_alone(store, intent, err);
}

struct ending {
	struct store *store;
	const struct volume *volume;
	int64_t intent;
};

static int end(void *arg, struct img_err *err)
{
	const struct ending *e = arg;

	return end_once(e->store, e->volume, e->intent, err);
}

int share_recover(struct store *store, const struct volume *volume,
		  int64_t intent, struct img_err *err)
{
	struct ending e = {
		.store = store,
		.volume = volume,
		.intent = intent,
	};

	return retry_while_busy(end, &e, END_WAIT_MS, err);
}

int share_end(struct volume_pending *share, struct img_err *err)
{
	struct store *store = share->store;
	int r;

	if (!store)
		return 0;
	db_rollback(store->db);
	r = store_need_pool(store, err);
	if (r == 0)
		r = share_recover(store, &share->volume, share->intent, err);
	volume_keep(share);
	return r;
}

int share_await_end(struct store *store, uint32_t volume, struct img_err *err)
{
	return intent_await(store, volume, SHARED, err);
}
