#include "image/examine.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "image/adopt.h"
#include "image/config.h"
#include "image/named_record.h"
#include "image/record.h"
#include "storage/ledger.h"
#include "storage/orphans.h"
#include "storage/volume.h"

#include <inttypes.h>
#include <string.h>

/* A record of the ledger, as it is now. */
struct record {
	uint32_t volume;
	uint64_t size_bytes;
	char *json;
};

struct records {
	struct record *all;
	size_t n, room;
};

static void records_release(struct records *records)
{
	for (size_t i = 0; i < records->n; i++)
		free(records->all[i].json);
	img_mem_release(&records->all);
}

static int add_record(void *self, const struct ledger_record *record,
		      struct img_err *err)
{
	struct records *records = self;

	if (records->n == records->room) {
		records->room = records->room ? 2 * records->room : 64;
		records->all = mem_realloc(
			records->all, records->room * sizeof(*records->all));
	}
	records->all[records->n++] = (struct record){
		.volume = record->volume,
		.size_bytes = record->size_bytes,
		.json = mem_strdup(record->json),
	};
	return 0;
}

static const struct record *find_record(const struct records *records,
					uint32_t volume)
{
	for (size_t i = 0; i < records->n; i++)
		if (records->all[i].volume == volume)
			return &records->all[i];
	return NULL;
}

/* Writes an image's record anew, from the catalog. */
static int put_record(struct store *store, const char *id, struct img_err *err)
{
	img_auto(image_release) struct image image = { 0 };
	json_t *names = NULL, *history = NULL;
	int r = image_get(store, id, &image, err);

	if (r <= 0) /* gone by now */
		return r;
	r = image_record_names(store, id, &names, err);
	if (r == 0)
		r = image_record_history(store, id, &history, err);
	if (r < 0) {
		json_decref(names);
		json_decref(history);
		return r;
	}
	return image_record_put(store, &image, names, history, err);
}

static int mend_record(struct store *store, const struct finding *finding,
		       struct img_err *err)
{
	return put_record(store, finding->name, err);
}

/* Its row may be there, of nobody. */
static int drop_bare_row(struct store *store, uint32_t volume,
			 struct img_err *err)
{
	img_auto(db_txn_release) struct db *txn = NULL;
	int r = db_begin(store_db(store), false, err);

	if (r < 0)
		return r;
	txn = store_db(store);
	r = db_run(txn, err, "DELETE FROM volumes WHERE id = ?", "i",
		   (int64_t)volume);
	return r < 0 ? r : db_commit(store_db(store), err);
}

static int mend_lost_image(struct store *store, const struct finding *finding,
			   struct img_err *err)
{
	int r = drop_bare_row(store, (uint32_t)finding->number, err);

	return r < 0 ? r
		     : image_adopt(store,
				   &(struct ledger_record){
					   .volume = (uint32_t)finding->number,
					   .size_bytes = finding->bytes,
					   .json = finding->name,
				   },
				   err);
}

static int mend_stray_record(struct store *store, const struct finding *finding,
			     struct img_err *err)
{
	return ledger_drop(store, (uint32_t)finding->number, err);
}

static bool same_names(json_t *recorded, const json_t *names)
{
	json_t *item;
	size_t i;

	if (json_array_size(recorded) != json_array_size(names))
		return false;
	json_array_foreach(recorded, i, item)
	{
		bool found = false;
		json_t *other;
		size_t j;

		json_array_foreach(names, j, other) found =
			found || json_equal(item, other);
		if (!found)
			return false;
	}
	return true;
}

/* True when the record says of the image what the catalog says. */
static int is_recorded(struct store *store, const struct image *image,
		       const struct record *record, bool *ret,
		       struct img_err *err)
{
	img_auto(json_release) json_t *json = NULL;
	img_auto(json_release) json_t *names = NULL;
	const char *id = NULL;
	struct img_err damaged = { 0 };
	int r = image_record_names(store, image->id.hex, &names, err);

	*ret = false;
	if (r < 0 || image_config_parse(record->json, &json, &damaged) < 0)
		return r;
	id = json_string_value(json_object_get(json, "id"));
	*ret = id && strcmp(id, image->id.hex) == 0 &&
	       record->size_bytes == image->volume.size_bytes &&
	       same_names(json_object_get(json, "names"), names);
	return 0;
}

struct look {
	struct store *store;
	struct findings *ret;
	struct records records;
};

static void look_release(struct look *look)
{
	records_release(&look->records);
}

static int look_at_image(void *self, const struct image *image,
			 struct img_err *err)
{
	struct look *look = self;
	const struct record *record =
		find_record(&look->records, image->volume.id);
	struct finding *finding;
	bool same = false;
	int r = record ? is_recorded(look->store, image, record, &same, err)
		       : 0;

	if (r < 0 || same)
		return r;
	finding = findings_add(look->ret,
			       record ? "record-differs" : "unrecorded-image");
	finding_object(finding, "image %.12s", image->id.hex);
	finding_text(finding,
		     record ? "has other names or another size in the ledger "
			      "than in the catalog"
			    : "is not recorded in the ledger: without the "
			      "catalog nobody would know it");
	finding_remedy(finding, "records it");
	finding->mend = mend_record;
	finding->name = mem_strdup(image->id.hex);
	return 0;
}

static int mend_named_record(struct store *store, const struct finding *finding,
			     struct img_err *err)
{
	img_auto(named_volume_release) struct named_volume named = { 0 };
	struct img_err missing = { 0 };
	int r = named_volume_find(store, finding->name, &named, &missing);

	if (r == -IMG_E_NOT_FOUND) /* gone by now */
		return 0;
	if (r < 0) {
		*err = missing;
		return r;
	}
	return named_record_put(store, &named, err);
}

static int look_at_named(void *self, const struct named_volume *named,
			 struct img_err *err)
{
	struct look *look = self;
	const struct record *record =
		find_record(&look->records, named->volume.id);
	struct finding *finding;

	if (record && named_record_is_of(
			      &(struct ledger_record){
				      .volume = record->volume,
				      .size_bytes = record->size_bytes,
				      .json = record->json,
			      },
			      named))
		return 0;
	finding = findings_add(look->ret,
			       record ? "record-differs" : "unrecorded-volume");
	finding_object(finding, "volume %.64s", named->name);
	finding_text(finding,
		     record ? "has another name or size in the ledger than in "
			      "the catalog"
			    : "is not recorded in the ledger: without the "
			      "catalog nobody would know it");
	finding_remedy(finding, "records it");
	finding->mend = mend_named_record;
	finding->name = mem_strdup(named->name);
	return 0;
}

/* Whether a record tells of a named volume, and not of an image. */
static bool is_named(const struct record *record)
{
	img_auto(json_release) json_t *json = NULL;
	struct img_err damaged = { 0 };

	return image_config_parse(record->json, &json, &damaged) == 0 &&
	       named_record_name(json);
}

/* What is recorded, and has no row although no process is at it. */
static int look_at_record(struct look *look, const struct record *record,
			  const struct volume_ids *pool, struct img_err *err)
{
	bool in_pool = volume_ids_has(pool, record->volume);
	struct finding *finding;
	int64_t one;
	bool named;
	int r = db_get_int(store_db(look->store), &one, err,
			   "SELECT 1 FROM images WHERE volume = ?1"
			   " UNION ALL"
			   " SELECT 1 FROM named_volumes WHERE volume = ?1",
			   "i", (int64_t)record->volume);

	if (r == 0)
		r = volume_is_held(look->store, record->volume, err);
	if (r != 0)
		return r < 0 ? r : 0;
	named = is_named(record);
	finding = findings_add(look->ret, !in_pool ? "stray-record"
					  : named  ? "lost-volume"
						   : "lost-image");
	finding_object(finding, "volume %" PRIu32, record->volume);
	if (in_pool)
		finding_text(finding,
			     "holds %s that the ledger knows and the catalog "
			     "does not",
			     named ? "a named volume" : "an image");
	else
		finding_text(finding, "is recorded in the ledger, but it is "
				      "not in the pool");
	finding_remedy(finding, in_pool ? "enters it into the catalog"
					: "drops the record");
	finding->mend = in_pool ? mend_lost_image : mend_stray_record;
	finding->number = record->volume;
	finding->bytes = record->size_bytes;
	finding->name = mem_strdup(record->json);
	return 0;
}

static int put_each(void *self, const struct image *image, struct img_err *err)
{
	return put_record(self, image->id.hex, err);
}

static int put_named(void *self, const struct named_volume *named,
		     struct img_err *err)
{
	return named_record_put(self, named, err);
}

/* What the catalog says is all there is, where the ledger cannot be read. */
static int mend_ledger(struct store *store, const struct finding *finding,
		       struct img_err *err)
{
	int r = ledger_make_anew(store, err);

	if (r == 0)
		r = image_each(store, put_each, store, err);
	return r < 0 ? r : named_volume_each(store, put_named, store, err);
}

int image_examine(struct store *store, struct findings *ret,
		  struct img_err *err)
{
	img_auto(look_release) struct look look = { store, ret, { 0 } };
	img_auto(volume_ids_release) struct volume_ids pool = { 0 };
	struct img_err damaged = { 0 };
	struct finding *finding;
	int r = ledger_each(store, add_record, &look.records, &damaged);

	if (r == -IMG_E_CORRUPT) {
		finding = findings_add(ret, "ledger-damaged");
		finding_object(finding, "ledger");
		finding_text(finding, "cannot be read: %s", damaged.msg);
		finding_remedy(finding, "writes it anew, with all images "
					"and named volumes of the catalog");
		finding->mend = mend_ledger;
		return 0;
	}
	if (r < 0) {
		*err = damaged;
		return r;
	}
	r = image_each(store, look_at_image, &look, err);
	if (r == 0)
		r = named_volume_each(store, look_at_named, &look, err);
	if (r == 0)
		r = orphans_list_pool(store, &pool, err);
	for (size_t i = 0; r == 0 && i < look.records.n; i++)
		r = look_at_record(&look, &look.records.all[i], &pool, err);
	return r;
}
