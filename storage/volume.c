#include "storage/volume.h"

#include "base/cleanup.h"
#include "base/lock.h"
#include "storage/holder.h"
#include "storage/intent.h"
#include "storage/merge.h"
#include "storage/recover.h"
#include "storage/retry.h"
#include "storage/use_impl.h"
#include "storage/volume_impl.h"

#include <fcntl.h>
#include <inttypes.h>

#define BUSY_WAIT_MS 10000
#define FREE_TRIES   5

int volume_find(struct store *store, uint32_t id, struct volume *ret,
		struct img_err *err)
{
	img_auto(db_row_end) struct db_row *row = NULL;
	int r = db_query(store->db, &row, err,
			 "SELECT size_bytes, origin, fs_bytes FROM volumes"
			 " WHERE id = ?",
			 "i", (int64_t)id);

	if (r == 0)
		r = db_next(row, err);
	if (r < 0)
		return r;
	if (r == 0)
		return img_err_set(err, IMG_E_NOT_FOUND, 0,
				   "there is no volume %" PRIu32, id);
	*ret = (struct volume){
		.id = id,
		.size_bytes = (uint64_t)db_int(row, 0),
		.origin = (uint32_t)db_int(row, 1),
		.fs_bytes = (uint64_t)db_int(row, 2),
	};
	return 0;
}

int volume_settle(struct volume_pending *pending, struct img_err *err)
{
	return intent_end(pending->store, pending->intent, err);
}

void volume_keep(struct volume_pending *pending)
{
	intent_drop(pending->store, pending->intent);
	pending->store = NULL;
}

int volume_settle_running(struct volume_pending *pending, struct img_err *err)
{
	return intent_change(pending->store, pending->intent, INTENT_RUN, err);
}

void volume_keep_running(struct volume_pending *pending)
{
	pending->undo = false;
}

int volume_is_held(struct store *store, uint32_t id, struct img_err *err)
{
	return intent_is_held(store, id, ~0u, err);
}

int volume_is_running(struct store *store, uint32_t id, struct img_err *err)
{
	return intent_is_held(store, id, INTENT_BIT(INTENT_RUN), err);
}

int volume_runs_or_goes(struct store *store, uint32_t id, struct img_err *err)
{
	return intent_is_held(
		store, id, INTENT_BIT(INTENT_RUN) | INTENT_BIT(INTENT_DELETE),
		err);
}

int volume_await(struct store *store, uint32_t id, struct img_err *err)
{
	return intent_await(store, id,
			    INTENT_BIT(INTENT_LOOK) |
				    INTENT_BIT(INTENT_RESIZE) |
				    INTENT_BIT(INTENT_FILL),
			    err);
}

int volume_when_free(struct store *store, uint32_t id,
		     int (*fn)(void *self, struct img_err *err), void *self,
		     struct img_err *err)
{
	for (int try = 1;; try++) {
		struct img_err busy = { 0 };
		int r = volume_await(store, id, err);

		if (r == 0)
			r = fn(self, &busy);
		if (r != -IMG_E_BUSY || err->code || try == FREE_TRIES) {
			if (busy.code)
				*err = busy;
			return r;
		}
	}
}

static int check_free(struct store *store, uint32_t id, struct img_err *err)
{
	int r = volume_is_held(store, id, err);

	return r > 0 ? intent_refuse(err) : r;
}

int volume_begin(struct store *store, const struct volume *volume,
		 enum intent_op op, struct volume_pending *ret,
		 struct img_err *err)
{
	struct volume now; /* it may have grown since the caller looked */
	int64_t intent = 0;
	int r;

	r = volume_find(store, volume->id, &now, err);
	if (r == 0)
		r = check_free(store, volume->id, err);
	if (r == 0)
		r = merge_check(store, volume->id, err);
	if (r == 0)
		r = use_check(store, volume->id, op, err);
	if (r == 0)
		r = intent_begin(store, op, volume->id, &intent, err);
	if (r < 0)
		return r;
	now.read_only = volume->read_only;
	*ret = (struct volume_pending){
		.store = store,
		.intent = intent,
		.volume = now,
		.undo = op == INTENT_DELETE,
	};
	return 0;
}

int volume_begin_run(struct store *store, const struct volume *volume,
		     struct volume_pending *ret, struct img_err *err)
{
	return volume_begin(store, volume, INTENT_RUN, ret, err);
}

int volume_begin_delete(struct store *store, uint32_t id,
			struct volume_pending *ret, struct img_err *err)
{
	struct volume volume = { .id = id };

	return volume_begin(store, &volume, INTENT_DELETE, ret, err);
}

int volume_adopt(struct store *store, uint32_t id, uint64_t size_bytes,
		 struct img_err *err)
{
	int r = db_run(store->db, err,
		       "INSERT INTO volumes (id, size_bytes) VALUES (?, ?)",
		       "ii", (int64_t)id, (int64_t)size_bytes);

	return r < 0 ? r : 0;
}

int volume_orphan(struct store *store, uint32_t id, struct img_err *err)
{
	int r = db_run(store->db, err, "DELETE FROM volumes WHERE id = ?", "i",
		       (int64_t)id);

	return r < 0 ? r : 0;
}

int volume_condemn(struct store *store, uint32_t id, struct img_err *err)
{
	int r = db_run(store->db, err,
		       "UPDATE intents SET op = 'delete' WHERE volume = ?", "i",
		       (int64_t)id);

	if (r == 0) /* an intent that nobody holds is to be recovered */
		r = db_run(store->db, err,
			   "INSERT INTO intents (op, volume)"
			   " VALUES ('delete', ?)",
			   "i", (int64_t)id);
	return r < 0 ? r : 0;
}

int volume_turn_delete(struct volume_pending *pending, struct img_err *err)
{
	return intent_change(pending->store, pending->intent, INTENT_DELETE,
			     err);
}

int volume_finish_delete(struct volume_pending *pending, struct img_err *err)
{
	struct store *store = pending->store;
	int r;

	r = store_need_pool(store, err);
	if (r == 0)
		r = recover_remove(store, &pending->volume, pending->intent,
				   err);
	/* Undone or not, the next open of the store may go on with it. */
	volume_keep(pending);
	return r;
}

void volume_pending_release(struct volume_pending *pending)
{
	struct img_err dropped = { 0 }; /* the next open tries again */

	if (!pending->store)
		return;
	db_rollback(pending->store->db);
	if (pending->undo)
		IMG_IGNORE(volume_finish_delete(pending, &dropped));
	else
		volume_keep(pending);
}

int volume_check(struct store *store, const struct volume *volume,
		 struct img_err *err)
{
	return store->driver->check ? store->driver->check(store, volume, err)
				    : 0;
}

int volume_lock(struct store *store, uint32_t id, struct lock *ret,
		struct img_err *err)
{
	return store_lock(store, LOCK_VOLUMES + id, ret, err);
}

int volume_activate(struct store *store, const struct volume *volume,
		    char node[VOLUME_NODE_MAX], struct img_err *err)
{
	img_auto(lock_release) struct lock lock = { .fd = -1 };
	struct dm_name name;
	dev_t dev = 0;
	int r;

	r = store_need_pool(store, err);
	if (r == 0)
		r = volume_lock(store, volume->id, &lock, err);
	if (r == 0)
		r = store->driver->activate(store, volume, &dev, err);
	if (r < 0)
		return r;
	store_volume_name(store, volume->id, &name);
	return store->dm.ops->node(store->dm.self, &name, dev, node, err);
}

/* Whoever is not of ours, and does not let go of a volume's device. */
static int tell_holder(struct store *store, const struct volume *volume,
		       struct img_err *err)
{
	struct img_err dropped = { 0 }; /* what failed is told */
	struct dm_state state = { 0 };
	char who[HOLDER_TEXT_MAX];
	struct dm_name name;

	store_volume_name(store, volume->id, &name);
	if (store->dm.ops->state(store->dm.self, &name, &state, &dropped) < 0 ||
	    !state.exists || !holder_find(state.dev, who))
		return -(int)err->code;
	return img_err_hint(err, " (it is %s)", who);
}

struct attempt {
	struct store *store;
	const struct volume *volume;
	volume_fn *fn;
};

static int attempt(void *arg, struct img_err *err)
{
	const struct attempt *a = arg;

	return a->fn(a->store, a->volume, err);
}

int volume_retry(struct store *store, const struct volume *volume,
		 volume_fn *fn, struct img_err *err)
{
	struct attempt a = { .store = store, .volume = volume, .fn = fn };
	int r = retry_while_busy(attempt, &a, BUSY_WAIT_MS, err);

	return r == -IMG_E_BUSY ? tell_holder(store, volume, err) : r;
}

static int deactivate(struct store *store, const struct volume *volume,
		      struct img_err *err)
{
	img_auto(lock_release) struct lock lock = { .fd = -1 };
	int r = volume_lock(store, volume->id, &lock, err);

	return r < 0 ? r : store->driver->deactivate(store, volume, err);
}

int volume_device(struct store *store, const struct volume *volume, dev_t *ret,
		  struct img_err *err)
{
	struct dm_state state;
	struct dm_name name;
	int r;

	store_volume_name(store, volume->id, &name);
	r = store->dm.ops->state(store->dm.self, &name, &state, err);
	if (r < 0 || !state.exists || !state.has_table)
		return r < 0 ? r : 0;
	*ret = state.dev;
	return 1;
}

int volume_open_device(struct store *store, const struct volume *volume,
		       char node[VOLUME_NODE_MAX], int *ret_fd,
		       struct img_err *err)
{
	img_auto(lock_release) struct lock lock = { .fd = -1 };
	struct dm_name name;
	dev_t dev = 0;
	int r = volume_lock(store, volume->id, &lock, err);

	if (r == 0)
		r = volume_device(store, volume, &dev, err);
	if (r <= 0)
		return r;
	store_volume_name(store, volume->id, &name);
	r = store->dm.ops->node(store->dm.self, &name, dev, node, err);
	if (r < 0)
		return r;
	*ret_fd = open(node, O_RDONLY | O_CLOEXEC);
	return *ret_fd < 0 ? img_err_sys(err, "cannot open %s", node) : 1;
}

int volume_deactivate(struct store *store, const struct volume *volume,
		      struct img_err *err)
{
	int r = store_need_pool(store, err);

	return r < 0 ? r : volume_retry(store, volume, deactivate, err);
}
