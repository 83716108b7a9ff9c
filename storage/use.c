#include "storage/use_impl.h"

#include "base/cleanup.h"
#include "base/mountinfo.h"
#include "base/str.h"
#include "storage/recover.h"
#include "storage/retry.h"
#include "storage/volume_impl.h"

#include <inttypes.h>
#include <string.h>

#define WAIT_MS 10000

static const enum intent_op ops[] = {
	[USE_VIEW] = INTENT_VIEW,
	[USE_LOOK] = INTENT_LOOK,
	[USE_ACTIVE] = INTENT_ACTIVE,
};

static int device_state(struct store *store, uint32_t volume,
			struct dm_state *ret, struct img_err *err)
{
	struct dm_name name;

	store_volume_name(store, volume, &name);
	return store->dm.ops->state(store->dm.self, &name, ret, err);
}

/* 1 when a use of this kind, of a device in this state, is one. */
static bool holds(enum intent_op op, const struct dm_state *state)
{
	if (op == INTENT_ACTIVE)
		return state->has_table;
	return state->exists && state->open_count > 0;
}

int use_is_over(struct store *store, uint32_t volume, int64_t intent,
		enum intent_op op, struct img_err *err)
{
	struct dm_state state;
	int64_t others = 0;
	int r = device_state(store, volume, &state, err);

	if (r < 0 || holds(op, &state))
		return r;
	r = db_get_int(store->db, &others, err,
		       "SELECT count(*) FROM intents"
		       " WHERE volume = ? AND id <> ?",
		       "ii", (int64_t)volume, intent);
	if (r < 0)
		return r;
	return others ? 1 : USE_LAST;
}

static enum use_kind kind_of(const char *op)
{
	if (strcmp(op, "view") == 0)
		return USE_VIEW;
	return strcmp(op, "look") == 0 ? USE_LOOK : USE_ACTIVE;
}

static int list_rows(struct store *store, const char *where, int64_t volume,
		     struct use **ret, size_t *ret_count, struct img_err *err)
{
	img_auto(img_mem_release) char *sql = mem_printf(
		"SELECT i.id, i.op, v.id, v.size_bytes, v.origin"
		" FROM intents i JOIN volumes v ON v.id = i.volume"
		" WHERE i.op IN ('view', 'look', 'active') AND %s ORDER BY i.id",
		where);
	img_auto(img_mem_release) struct use *list = NULL;
	img_auto(db_row_end) struct db_row *row = NULL;
	size_t count = 0;
	int r = db_query(store->db, &row, err, sql, "i", volume);

	while (r >= 0 && (r = db_next(row, err)) > 0) {
		list = mem_realloc(list, (count + 1) * sizeof(*list));
		list[count++] = (struct use){
			.intent = db_int(row, 0),
			.kind = kind_of(db_text(row, 1)),
			.volume = { .id = (uint32_t)db_int(row, 2),
				    .size_bytes = (uint64_t)db_int(row, 3),
				    .origin = (uint32_t)db_int(row, 4) },
		};
	}
	if (r < 0)
		return r;
	*ret = img_mem_take(&list);
	*ret_count = count;
	return 0;
}

/* Leaves those of the list that are so in the kernel. */
static int keep_real(struct store *store, struct use *list, size_t *count,
		     struct img_err *err)
{
	size_t kept = 0;

	for (size_t i = 0; i < *count; i++) {
		struct dm_state state;
		int r = device_state(store, list[i].volume.id, &state, err);

		if (r < 0)
			return r;
		if (!holds(ops[list[i].kind], &state))
			continue;
		list[kept] = list[i];
		list[kept].dev = state.dev;
		list[kept].is_open = state.open_count > 0;
		list[kept++].read_only = state.read_only;
	}
	*count = kept;
	return 0;
}

static int list_where(struct store *store, const char *where, int64_t volume,
		      struct use **ret, size_t *ret_count, struct img_err *err)
{
	img_auto(img_mem_release) struct use *list = NULL;
	int r = list_rows(store, where, volume, &list, ret_count, err);

	if (r == 0)
		r = keep_real(store, list, ret_count, err);
	if (r < 0)
		return r;
	*ret = img_mem_take(&list);
	return 0;
}

int use_list(struct store *store, struct use **ret, size_t *ret_count,
	     struct img_err *err)
{
	return list_where(store, "?1 = 0", 0, ret, ret_count, err);
}

static int refuse(const struct use *use, struct img_err *err)
{
	img_auto(img_mem_release) char *place = mountinfo_place(use->dev);

	if (place)
		return img_err_set(err, IMG_E_BUSY, 0,
				   "it is mounted at %s: 'img umount' that "
				   "first",
				   place);
	if (use->kind == USE_ACTIVE)
		return img_err_set(err, IMG_E_BUSY, 0,
				   "its device is active: 'img deactivate' it "
				   "first");
	return img_err_set(err, IMG_E_BUSY, 0,
			   "it is mounted in another mount namespace");
}

int use_check(struct store *store, uint32_t volume, enum intent_op op,
	      struct img_err *err)
{
	img_auto(img_mem_release) struct use *list = NULL;
	const char *where = NULL;
	size_t count = 0;
	int r;

	if (op == INTENT_DELETE)
		where = "(v.id = ?1 AND i.op <> 'view' OR"
			" v.origin = ?1 AND i.op = 'view')";
	else if (op == INTENT_RESIZE)
		where = "v.id = ?1 AND i.op <> 'view'";
	else if (op == INTENT_RUN)
		where = "v.id = ?1 AND i.op = 'active'";
	else
		return 0;
	r = list_where(store, where, volume, &list, &count, err);
	return r < 0 || !count ? r : refuse(&list[0], err);
}

int use_check_settled(struct store *store, uint32_t volume, struct img_err *err)
{
	img_auto(img_mem_release) struct use *list = NULL;
	size_t count = 0;
	int r = list_where(store, "v.id = ?1 AND i.op = 'active'", volume,
			   &list, &count, err);

	if (r < 0 || !count || list[0].read_only)
		return r;
	return img_err_set(err, IMG_E_BUSY, 0,
			   "its device is active for writing, and what was "
			   "not written yet would be missing: 'img "
			   "deactivate' it first");
}

static int begin_once(struct store *store, const struct volume *volume,
		      struct volume_pending *ret, struct img_err *err)
{
	img_auto(db_txn_release) struct db *txn = NULL;
	int r = db_begin(store->db, false, err);

	if (r < 0)
		return r;
	txn = store->db;
	r = volume_begin(store, volume, INTENT_LOOK, ret, err);
	if (r == 0)
		r = db_commit(store->db, err);
	if (r < 0 && ret->store) {
		db_rollback(store->db);
		volume_keep(ret);
	}
	return r;
}

struct beginning {
	struct store *store;
	const struct volume *volume;
	struct volume_pending *ret;
};

static int begin(void *arg, struct img_err *err)
{
	const struct beginning *b = arg;

	return begin_once(b->store, b->volume, b->ret, err);
}

int use_begin(struct store *store, const struct volume *volume,
	      struct volume_pending *ret, struct img_err *err)
{
	struct beginning b = { .store = store, .volume = volume, .ret = ret };

	return retry_while_busy(begin, &b, WAIT_MS, err);
}

int use_turn(struct volume_pending *pending, enum use_kind kind,
	     struct img_err *err)
{
	return intent_change_alone(pending->store, pending->intent, ops[kind],
				   err);
}

void use_keep(struct volume_pending *pending)
{
	volume_keep(pending);
}

void use_drop(struct volume_pending *pending)
{
	struct store *store = pending->store;
	struct img_err dropped = { 0 }; /* the next open tries again */

	if (!store)
		return;
	use_place_remove(store, pending->intent);
	if (!pending->undo)
		IMG_IGNORE(recover_held(store, pending->intent,
					pending->volume.id, &dropped));
	volume_pending_release(pending);
}

struct taking {
	struct store *store;
	int64_t intent;
};

static int take_once(void *arg, struct img_err *err)
{
	const struct taking *t = arg;
	int r = intent_adopt(t->store, t->intent, err);

	return r ? r
		 : img_err_set(err, IMG_E_BUSY, 0,
			       "another process is using it");
}

/* 1 when the byte is ours. */
static int take_over(struct store *store, int64_t intent, struct img_err *err)
{
	struct taking t = { .store = store, .intent = intent };

	return retry_while_busy(take_once, &t, WAIT_MS, err);
}

static int end_held(struct store *store, const struct use *use,
		    struct img_err *err)
{
	enum intent_op op;
	int r = intent_op(store, use->intent, &op, err);

	if (r <= 0) /* another process was faster */
		return r;
	if (op == INTENT_ACTIVE)
		r = intent_change_alone(store, use->intent, INTENT_LOOK, err);
	if (r >= 0)
		r = recover_held(store, use->intent, use->volume.id, err);
	return r < 0 ? r : 0;
}

int use_end(struct store *store, const struct use *use, struct img_err *err)
{
	struct dm_state state;
	int r = device_state(store, use->volume.id, &state, err);

	if (r < 0)
		return r;
	if (state.exists && state.open_count > 0)
		return img_err_set(err, IMG_E_BUSY, 0,
				   "its device is open: %u users are left",
				   state.open_count);
	r = take_over(store, use->intent, err);
	if (r < 0)
		return r;
	r = end_held(store, use, err);
	intent_drop(store, use->intent);
	return r;
}

char *use_place(const struct store *store, int64_t intent)
{
	return mem_printf("%s/mnt/%" PRId64, store->run, intent);
}

void use_place_remove(const struct store *store, int64_t intent)
{
	img_auto(img_mem_release) char *path = use_place(store, intent);

	(void)rmdir(path); /* most were mounted elsewhere */
}
