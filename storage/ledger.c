#include "storage/ledger.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/str.h"
#include "storage/catalog.h"
#include "storage/ledger_log.h"
#include "storage/settings.h"
#include "storage/store_impl.h"

#include <inttypes.h>

/* Where the newest record is, as far as the catalog knows: saves a scan. */
#define HINT_KEY "ledger_newest"

static void read_hint(struct store *store, struct ledger_tail *hint)
{
	img_auto(img_mem_release) char *text = NULL;
	struct img_err missing = { 0 }; /* no hint is a hint too */

	*hint = (struct ledger_tail){ 0 };
	if (catalog_setting(store->db, HINT_KEY, &text, &missing) < 0)
		return;
	if (sscanf(text, "%" SCNu64 " %" SCNu64 " %" SCNu64, &hint->generation,
		   &hint->offset, &hint->seq) != 3)
		*hint = (struct ledger_tail){ 0 };
}

/* Without it, or with an older one, the next append looks further: that is
 * no reason to fail now, when the record is on the disk. */
static void write_hint(struct store *store, const struct ledger_tail *tail)
{
	img_auto(db_txn_release) struct db *txn = NULL;
	struct img_err dropped = { 0 };
	char text[80];

	(void)snprintf(text, sizeof(text), "%" PRIu64 " %" PRIu64 " %" PRIu64,
		       tail->generation, tail->offset, tail->seq);
	if (db_begin(store->db, false, &dropped) < 0)
		return;
	txn = store->db;
	if (catalog_set(store->db, HINT_KEY, text, &dropped) == 0)
		IMG_IGNORE(db_commit(store->db, &dropped));
}

/* The pool first: bringing it up takes LOCK_STORE, which comes before. */
static int take(struct store *store, uint64_t offset, struct lock *ret,
		struct img_err *err)
{
	int r = store_need_pool(store, err);

	if (r == 0)
		r = store_lock(store, offset, ret, err);
	return r;
}

static int take_lock(struct store *store, struct lock *ret, struct img_err *err)
{
	return take(store, LOCK_LEDGER, ret, err);
}

int ledger_begin(struct store *store, struct lock *ret, struct img_err *err)
{
	return take(store, LOCK_RECORDS, ret, err);
}

static int append_store(struct store *store, int fd,
			const struct ledger_tail *tail, struct ledger_tail *at,
			struct img_err *err)
{
	img_auto(img_mem_release) char *text = NULL;
	int r = settings_text(store->db, &text, err);

	return r < 0 ? r
		     : ledger_log_append(fd, tail,
					 &(struct ledger_record){
						 .volume = LEDGER_VOLUME,
						 .size_bytes = LEDGER_BYTES,
						 .json = text,
					 },
					 at, err);
}

/* @record: NULL for the store's own alone, which a new ledger has first. */
static int append(struct store *store, const struct ledger_record *record,
		  struct img_err *err)
{
	img_auto(lock_release) struct lock lock = { .fd = -1 };
	img_auto(img_fd_release) int fd = -1;
	struct ledger_tail hint, tail = { 0 }, at = { 0 };
	int r;

	r = take_lock(store, &lock, err);
	if (r == 0)
		r = store->driver->open_ledger(store, &fd, err);
	if (r < 0)
		return r;
	read_hint(store, &hint);
	r = ledger_log_open(fd, &hint, &tail, err);
	if (r == 0 && (tail.generation == 0 || !record)) {
		r = append_store(store, fd, &tail, &at, err);
		if (r == 0 && record)
			r = ledger_log_open(fd, &at, &tail, err);
	}
	if (r == 0 && record)
		r = ledger_log_append(fd, &tail, record, &at, err);
	if (r == 0)
		write_hint(store, &at);
	return r;
}

int ledger_make_anew(struct store *store, struct img_err *err)
{
	img_auto(lock_release) struct lock lock = { .fd = -1 };
	img_auto(img_fd_release) int fd = -1;
	struct ledger_tail at = { 0 };
	struct ledger_tail end = { 0 };
	int r = take_lock(store, &lock, err);

	if (r == 0)
		r = store->driver->open_ledger(store, &fd, err);
	/* Higher than any number before: what is left of the old log must not
	 * be taken for a continuation of the new one. */
	end.seq = (uint64_t)clock_now_ns();
	if (r == 0)
		r = ledger_log_clear(fd, err);
	if (r == 0)
		r = append_store(store, fd, &end, &at, err);
	if (r == 0)
		write_hint(store, &at);
	return r;
}

int ledger_put_store(struct store *store, struct img_err *err)
{
	return append(store, NULL, err);
}

int ledger_put(struct store *store, const struct ledger_record *record,
	       struct img_err *err)
{
	return append(store, record, err);
}

int ledger_drop(struct store *store, uint32_t volume, struct img_err *err)
{
	return append(store, &(struct ledger_record){ .volume = volume }, err);
}

typedef int record_fn(void *self, const struct ledger_record *record,
		      struct img_err *err);

static int each_record(struct store *store, record_fn *fn, void *self,
		       struct img_err *err)
{
	img_auto(lock_release) struct lock lock = { .fd = -1 };
	img_auto(img_fd_release) int fd = -1;
	struct ledger_tail hint, tail;
	int r;

	r = take_lock(store, &lock, err);
	if (r == 0)
		r = store->driver->open_ledger(store, &fd, err);
	if (r < 0)
		return r;
	/* What lies before the hint was there: if it cannot be read now, that
	 * is damage and not the log's end. */
	read_hint(store, &hint);
	r = ledger_log_open(fd, &hint, &tail, err);
	return r < 0 ? r : ledger_log_each(fd, &tail, fn, self, err);
}

struct of_images {
	record_fn *fn;
	void *self;
};

static int image_record(void *self, const struct ledger_record *record,
			struct img_err *err)
{
	const struct of_images *of = self;

	return record->volume == LEDGER_VOLUME ? 0
					       : of->fn(of->self, record, err);
}

int ledger_each(struct store *store, record_fn *fn, void *self,
		struct img_err *err)
{
	struct of_images of = { fn, self };

	return each_record(store, image_record, &of, err);
}

/* The first of all, if it is there. */
static int store_record(void *self, const struct ledger_record *record,
			struct img_err *err)
{
	if (record->volume != LEDGER_VOLUME)
		return 2;
	*(char **)self = mem_strdup(record->json);
	return 1;
}

int ledger_get_store(struct store *store, char **ret, struct img_err *err)
{
	int r = each_record(store, store_record, ret, err);

	return r < 0 ? r : r == 1;
}
