#include "storage/share.h"

#include "base/cleanup.h"
#include "base/lock.h"
#include "storage/volume_impl.h"

#include <inttypes.h>
#include <time.h>

#define JOIN_WAIT_MS 60000
#define END_WAIT_MS  10000
#define STEP_MS	     5

static void pause_shortly(void)
{
	struct timespec step = { .tv_nsec = STEP_MS * 1000000L };

	(void)nanosleep(&step, NULL); /* a signal only hurries it */
}

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

int share_begin(struct store *store, uint32_t id, struct volume_pending *ret,
		bool *ret_alone, struct img_err *err)
{
	for (int waited_ms = 0;; waited_ms += STEP_MS) {
		struct img_err busy = { 0 };
		int r = begin_once(store, id, ret, ret_alone, &busy);

		if (r != -IMG_E_BUSY || waited_ms >= JOIN_WAIT_MS) {
			if (r < 0)
				*err = busy;
			return r;
		}
		pause_shortly();
	}
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

int share_recover(struct store *store, const struct volume *volume,
		  int64_t intent, struct img_err *err)
{
	for (int waited_ms = 0;; waited_ms += STEP_MS) {
		struct img_err busy = { 0 };
		int r = end_once(store, volume, intent, &busy);

		if (r != -IMG_E_BUSY || waited_ms >= END_WAIT_MS) {
			if (r < 0)
				*err = busy;
			return r;
		}
		pause_shortly();
	}
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
