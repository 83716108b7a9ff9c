#include "storage/examine_impl.h"

#include "base/cleanup.h"
#include "base/lock.h"
#include "base/str.h"
#include "storage/ledger.h"
#include "storage/recover.h"
#include "storage/settings.h"

#include <inttypes.h>
#include <string.h>

static int check_pages(struct store *store, struct findings *ret,
		       struct img_err *err)
{
	img_auto(db_row_end) struct db_row *row = NULL;
	struct finding *finding;
	int r = db_query(store->db, &row, err, "PRAGMA quick_check(1)", "");

	if (r == 0)
		r = db_next(row, err);
	if (r <= 0 || strcmp(db_text(row, 0), "ok") == 0)
		return r < 0 ? r : 0;
	finding = findings_add(ret, "catalog-damaged");
	finding_object(finding, "catalog");
	finding_text(finding, "in %s/store.db is damaged: %s", store->root,
		     db_text(row, 0));
	finding_remedy(finding,
		       "end the containers, move %s/store.db aside, and 'img "
		       "doctor --rebuild' makes it again from the pool",
		       store->root);
	return 0;
}

static int check_references(struct store *store, struct findings *ret,
			    struct img_err *err)
{
	img_auto(db_row_end) struct db_row *row = NULL;
	int r = db_query(store->db, &row, err, "PRAGMA foreign_key_check", "");

	while (r >= 0 && (r = db_next(row, err)) > 0) {
		struct finding *finding = findings_add(ret, "dangling-row");

		finding_object(finding, "row %" PRId64 " of %s", db_int(row, 1),
			       db_text(row, 0));
		finding_text(finding, "names a row of %s that is not there",
			     db_text(row, 2));
		finding_remedy(finding,
			       "'img rm' or 'img rmi' of what it belongs to; "
			       "else move %s/store.db aside, and 'img doctor "
			       "--rebuild' makes it again",
			       store->root);
	}
	return r;
}

static int mend_intent(struct store *store, const struct finding *finding,
		       struct img_err *err)
{
	int r = recover_intent(store, (int64_t)finding->number,
			       (uint32_t)finding->bytes, err);

	return r < 0 ? r : 0;
}

/* An intent of nobody's that the kernel holds for somebody is none of a dead
 * process. */
static bool is_use(const struct examine_uses *uses, int64_t intent)
{
	for (size_t i = 0; i < uses->n; i++)
		if (uses->all[i].intent == intent)
			return true;
	return false;
}

static int list_dead(struct store *store, const struct examine_uses *uses,
		     struct findings *ret, struct img_err *err)
{
	img_auto(db_row_end) struct db_row *row = NULL;
	int r = db_query(store->db, &row, err,
			 "SELECT id, op, volume FROM intents ORDER BY id", "");

	while (r >= 0 && (r = db_next(row, err)) > 0) {
		struct finding *finding;
		int64_t id = db_int(row, 0);
		int held = lock_is_held(store->lock_fd,
					LOCK_INTENTS + (uint64_t)id, err);

		if (held < 0)
			return held;
		if (held || is_use(uses, id))
			continue;
		finding = findings_add(ret, "stale-intent");
		finding_object(finding, "intent %" PRId64, id);
		finding_text(finding,
			     "is of a dead process, which was to %s volume "
			     "%" PRId64,
			     db_text(row, 1), db_int(row, 2));
		finding_remedy(finding, "finishes or undoes its work, as the "
					"next command would");
		finding->mend = mend_intent;
		finding->number = (uint64_t)id;
		finding->bytes = (uint64_t)db_int(row, 2);
	}
	return r;
}

static int check_intents(struct store *store, struct findings *ret,
			 struct img_err *err)
{
	img_auto(examine_uses_release) struct examine_uses uses = { 0 };
	int r = examine_uses(store, &uses, err);

	return r < 0 ? r : list_dead(store, &uses, ret, err);
}

int examine_catalog(struct store *store, struct findings *ret,
		    struct img_err *err)
{
	int r = check_pages(store, ret, err);

	if (r == 0)
		r = check_references(store, ret, err);
	return r < 0 ? r : check_intents(store, ret, err);
}

static int mend_settings(struct store *store, const struct finding *finding,
			 struct img_err *err)
{
	return ledger_put_store(store, err);
}

/* What the catalog could be made again from. */
int examine_ledger(struct store *store, struct findings *ret,
		   struct img_err *err)
{
	img_auto(img_mem_release) char *recorded = NULL;
	img_auto(img_mem_release) char *wanted = NULL;
	struct finding *finding;
	int64_t one;
	int r = ledger_get_store(store, &recorded, err);

	if (r == 0) { /* with the first image it will be */
		r = db_get_int(store->db, &one, err,
			       "SELECT 1 FROM images LIMIT 1", "");
		if (r <= 0)
			return r;
	}
	if (r >= 0)
		r = settings_text(store->db, &wanted, err);
	if (r < 0 || (recorded && settings_same(recorded, wanted)))
		return r;
	finding = findings_add(ret, "store-unrecorded");
	finding_object(finding, "ledger");
	finding_text(finding, recorded ? "has other settings of the store than "
					 "the catalog"
				       : "does not have the store's settings");
	finding_remedy(finding, "records them");
	finding->mend = mend_settings;
	return 0;
}
