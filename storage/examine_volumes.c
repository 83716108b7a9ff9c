#include "storage/examine_impl.h"

#include "base/cleanup.h"
#include "base/num.h"
#include "storage/backing.h"
#include "storage/hold.h"
#include "storage/ledger.h"
#include "storage/orphans.h"
#include "storage/peek.h"
#include "storage/thin.h"

#include <inttypes.h>

static int mend_orphan(struct store *store, const struct finding *finding,
		       struct img_err *err)
{
	return orphans_remove(store, (uint32_t)finding->number, err);
}

static int mend_missing(struct store *store, const struct finding *finding,
			struct img_err *err)
{
	return orphans_forget(store, (uint32_t)finding->number, err);
}

static void tell_orphans(const struct volume_ids *ids, struct findings *ret)
{
	for (size_t i = 0; i < ids->n; i++) {
		struct finding *finding = findings_add(ret, "orphan");

		finding_object(finding, "volume %" PRIu32, ids->id[i]);
		finding_text(finding, "is in the pool, but no row of the "
				      "catalog and no record knows it");
		finding_remedy(finding, "removes it");
		finding->mend = mend_orphan;
		finding->number = ids->id[i];
	}
}

/* 1 when an image is on the volume, or the volume has a name: the rows are not
 * dropped unasked. */
static int is_kept(struct store *store, uint32_t id, struct img_err *err)
{
	int64_t one;

	return db_get_int(store->db, &one, err,
			  "SELECT 1 FROM images WHERE volume = ?1 UNION ALL"
			  " SELECT 1 FROM named_volumes WHERE volume = ?1",
			  "i", (int64_t)id);
}

static int tell_missing(struct store *store, const struct volume_ids *ids,
			struct findings *ret, struct img_err *err)
{
	for (size_t i = 0; i < ids->n; i++) {
		struct finding *finding;
		int r = is_kept(store, ids->id[i], err);

		if (r < 0)
			return r;
		finding = findings_add(ret, "missing-volume");
		finding_object(finding, "volume %" PRIu32, ids->id[i]);
		finding_text(finding, "has a row in the catalog, but the pool "
				      "does not have it");
		finding->number = ids->id[i];
		if (r > 0) {
			finding_remedy(finding,
				       "what was on it is lost: 'img rmi' the "
				       "image and import it again, or 'img "
				       "volume rm' the volume");
			continue;
		}
		finding_remedy(finding, "drops the rows of what was on it");
		finding->mend = mend_missing;
	}
	return 0;
}

static int mend_size(struct store *store, const struct finding *finding,
		     struct img_err *err)
{
	img_auto(db_txn_release) struct db *txn = NULL;
	int r = db_begin(store->db, true, err);

	if (r < 0)
		return r;
	txn = store->db;
	r = db_run(store->db, err,
		   "UPDATE volumes SET size_bytes = ? WHERE id = ?", "ii",
		   (int64_t)finding->bytes, (int64_t)finding->number);
	return r < 0 ? r : db_commit(store->db, err);
}

static int check_size(struct store *store, const struct peek *peek,
		      const struct volume *volume, struct findings *ret,
		      struct img_err *err)
{
	uint64_t least = 0;
	struct finding *finding;
	struct img_err unread = { 0 };
	int r = thin_least_bytes(peek, volume->id, &least, &unread);

	/* Damage is told of where all is verified; one that is not there, too. */
	if (r == -IMG_E_CORRUPT || r == -IMG_E_NOT_FOUND)
		return 0;
	if (r < 0) {
		*err = unread;
		return r;
	}
	if (least <= volume->size_bytes)
		return 0;
	finding = findings_add(ret, "wrong-size");
	finding_object(finding, "volume %" PRIu32, volume->id);
	finding_text(finding,
		     "has %" PRIu64 " bytes in the catalog, but its file "
		     "system or its blocks have %" PRIu64,
		     volume->size_bytes, least);
	finding_remedy(finding, "puts the larger size into the catalog");
	finding->mend = mend_size;
	finding->number = volume->id;
	finding->bytes = least;
	return 0;
}

/* Whether a process is at work on it is for the second look to tell. */
static int check_sizes(struct store *store, const struct peek *peek,
		       struct findings *ret, struct img_err *err)
{
	img_auto(db_row_end) struct db_row *row = NULL;
	int r = db_query(store->db, &row, err,
			 "SELECT id, size_bytes FROM volumes"
			 " WHERE id NOT IN (SELECT volume FROM intents WHERE"
			 " op IN ('create', 'delete')) ORDER BY id",
			 "");

	while (r >= 0 && (r = db_next(row, err)) > 0) {
		const struct volume volume = {
			.id = (uint32_t)db_int(row, 0),
			.size_bytes = (uint64_t)db_int(row, 1),
		};

		r = check_size(store, peek, &volume, ret, err);
		if (r < 0)
			return r;
	}
	return r;
}

static int examine_sizes(struct store *store, struct findings *ret,
			 struct img_err *err)
{
	img_auto(img_fd_release) int data = -1;
	img_auto(hold_release) struct hold hold = HOLD_NONE;
	struct peek peek;
	int r = backing_open(store, BACKING_DATA, &data, err);

	if (r == 0)
		r = hold_begin(store, &hold, err);
	if (r < 0)
		return r;
	peek = (struct peek){ hold.meta, data };
	return check_sizes(store, &peek, ret, err);
}

int examine_volumes(struct store *store, struct findings *ret,
		    struct img_err *err)
{
	img_auto(volume_ids_release) struct volume_ids orphans = { 0 };
	img_auto(volume_ids_release) struct volume_ids missing = { 0 };
	int r = orphans_find(store, &orphans, err);

	if (r >= 0) {
		tell_orphans(&orphans, ret);
		r = orphans_find_missing(store, &missing, err);
	}
	if (r >= 0)
		r = tell_missing(store, &missing, ret, err);
	if (r == 0 && store->driver == &driver_thin)
		r = examine_sizes(store, ret, err);
	return r;
}
