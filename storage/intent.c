#include "storage/intent.h"

#include "base/cleanup.h"
#include "base/lock.h"
#include "storage/retry.h"

#include <string.h>

#define AWAIT_MS 10000

static const char *const op_names[] = {
	[INTENT_CREATE] = "create", [INTENT_RUN] = "run",
	[INTENT_MERGE] = "merge",   [INTENT_DELETE] = "delete",
	[INTENT_RESIZE] = "resize", [INTENT_HOLD] = "hold",
	[INTENT_VIEW] = "view",	    [INTENT_LOOK] = "look",
	[INTENT_ACTIVE] = "active", [INTENT_SHARE] = "share",
	[INTENT_FILL] = "fill",
};

static uint64_t byte_of(int64_t intent)
{
	return LOCK_INTENTS + (uint64_t)intent;
}

int intent_begin(struct store *store, enum intent_op op, uint32_t volume,
		 int64_t *ret, struct img_err *err)
{
	int64_t id = 0;
	int r;

	r = db_get_int(store->db, &id, err,
		       "SELECT seq FROM sqlite_sequence"
		       " WHERE name = 'intents'",
		       "");
	if (r < 0)
		return r;
	id++;
	/* A dead intent's number is never used again, so this one is free. */
	r = lock_try(store->lock_fd, byte_of(id), err);
	if (r == 0)
		r = img_err_set(err, IMG_E_INTERNAL, 0,
				"the lock of a new intent is taken");
	if (r < 0)
		return r;
	r = db_run(store->db, err,
		   "INSERT INTO intents (id, op, volume) VALUES (?, ?, ?)",
		   "isi", id, op_names[op], (int64_t)volume);
	if (r < 0) {
		intent_drop(store, id);
		return r;
	}
	*ret = id;
	return 0;
}

int intent_change(struct store *store, int64_t intent, enum intent_op op,
		  struct img_err *err)
{
	int r = db_run(store->db, err, "UPDATE intents SET op = ? WHERE id = ?",
		       "si", op_names[op], intent);

	return r < 0 ? r : 0;
}

int intent_end(struct store *store, int64_t intent, struct img_err *err)
{
	int r = db_run(store->db, err, "DELETE FROM intents WHERE id = ?", "i",
		       intent);

	return r < 0 ? r : 0;
}

int intent_change_alone(struct store *store, int64_t intent, enum intent_op op,
			struct img_err *err)
{
	img_auto(db_txn_release) struct db *txn = NULL;
	int r = db_begin(store->db, false, err);

	if (r < 0)
		return r;
	txn = store->db;
	r = intent_change(store, intent, op, err);
	return r < 0 ? r : db_commit(store->db, err);
}

int intent_end_alone(struct store *store, int64_t intent, struct img_err *err)
{
	img_auto(db_txn_release) struct db *txn = NULL;
	int r = db_begin(store->db, false, err);

	if (r < 0)
		return r;
	txn = store->db;
	r = intent_end(store, intent, err);
	return r < 0 ? r : db_commit(store->db, err);
}

void intent_drop(struct store *store, int64_t intent)
{
	lock_drop(store->lock_fd, byte_of(intent));
}

int intent_adopt(struct store *store, int64_t intent, struct img_err *err)
{
	return lock_try(store->lock_fd, byte_of(intent), err);
}

static int parse_op(const char *name, enum intent_op *ret, struct img_err *err)
{
	for (size_t i = 0; i < IMG_COUNT(op_names); i++)
		if (strcmp(name, op_names[i]) == 0) {
			*ret = (enum intent_op)i;
			return 1;
		}
	return img_err_set(err, IMG_E_CORRUPT, 0,
			   "the catalog has an unknown intent '%s'", name);
}

int intent_op(struct store *store, int64_t intent, enum intent_op *ret,
	      struct img_err *err)
{
	img_auto(db_row_end) struct db_row *row = NULL;
	int r = db_query(store->db, &row, err,
			 "SELECT op FROM intents WHERE id = ?", "i", intent);

	if (r == 0)
		r = db_next(row, err);
	return r <= 0 ? r : parse_op(db_text(row, 0), ret, err);
}

int intent_is_held(struct store *store, uint32_t volume, unsigned ops,
		   struct img_err *err)
{
	img_auto(db_row_end) struct db_row *row = NULL;
	int r = db_query(store->db, &row, err,
			 "SELECT id, op FROM intents WHERE volume = ?", "i",
			 (int64_t)volume);

	while (r >= 0 && (r = db_next(row, err)) > 0) {
		enum intent_op op = INTENT_CREATE;

		r = parse_op(db_text(row, 1), &op, err);
		if (r > 0 && (ops & INTENT_BIT(op)))
			r = lock_is_held(store->lock_fd,
					 byte_of(db_int(row, 0)), err);
		else if (r > 0)
			r = 0;
		if (r != 0)
			return r;
	}
	return r;
}

int intent_refuse(struct img_err *err)
{
	return img_err_set(err, IMG_E_BUSY, 0, "another process is using it");
}

struct await {
	struct store *store;
	uint32_t volume;
	unsigned ops;
};

static int look(void *self, struct img_err *err)
{
	const struct await *await = self;
	int r = intent_is_held(await->store, await->volume, await->ops, err);

	return r > 0 ? intent_refuse(err) : r;
}

int intent_await(struct store *store, uint32_t volume, unsigned ops,
		 struct img_err *err)
{
	struct await await = { store, volume, ops };

	return retry_while_busy(look, &await, AWAIT_MS, err);
}
