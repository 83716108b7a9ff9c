#include "image/named_record.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "image/config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int named_record_put(struct store *store, const struct named_volume *named,
		     struct img_err *err)
{
	img_auto(json_release) json_t *config = NULL;
	img_auto(json_release) json_t *record = NULL;
	img_auto(img_mem_release) char *text = NULL;
	int r = image_config_parse(named->config, &config, err);

	if (r < 0)
		return r;
	record = json_pack("{ss sI sb sO}", "volume_name", named->name,
			   "created_ns", (json_int_t)named->created_ns,
			   "anonymous", named->anonymous, "config", config);
	text = image_config_text(record);
	return ledger_put(store,
			  &(struct ledger_record){
				  .volume = named->volume.id,
				  .size_bytes = named->volume.size_bytes,
				  .json = text,
			  },
			  err);
}

const char *named_record_name(const json_t *record)
{
	return json_string_value(json_object_get(record, "volume_name"));
}

bool named_record_is_of(const struct ledger_record *record,
			const struct named_volume *named)
{
	img_auto(json_release) json_t *json = NULL;
	struct img_err damaged = { 0 }; /* then it says nothing */
	const char *name;

	if (image_config_parse(record->json, &json, &damaged) < 0)
		return false;
	name = named_record_name(json);
	return name && strcmp(name, named->name) == 0 &&
	       record->size_bytes == named->volume.size_bytes;
}

/* Two may claim a name when a catalog is made again: the first that comes has
 * it. */
static int add_row(struct store *store, struct named_volume *named,
		   struct img_err *err)
{
	struct img_err taken = { 0 };
	int r = named_volume_row_add(store_db(store), named, &taken);
	char name[NAMED_VOLUME_NAME_MAX + 1];

	if (r == -IMG_E_EXISTS) {
		(void)snprintf(name, sizeof(name), "%.200s-%" PRIu32,
			       named->name, named->volume.id);
		(void)snprintf(named->name, sizeof(named->name), "%s", name);
		return named_volume_row_add(store_db(store), named, err);
	}
	if (r < 0)
		*err = taken;
	return r;
}

static int enter(struct store *store, struct named_volume *named,
		 uint64_t size_bytes, struct img_err *err)
{
	img_auto(db_txn_release) struct db *txn = NULL;
	int r = db_begin(store_db(store), true, err);

	if (r < 0)
		return r;
	txn = store_db(store);
	r = volume_adopt(store, named->volume.id, size_bytes, err);
	if (r == 0)
		r = add_row(store, named, err);
	return r < 0 ? r : db_commit(store_db(store), err);
}

int named_record_adopt(struct store *store, const struct ledger_record *record,
		       const json_t *json, struct img_err *err)
{
	const json_t *config = json_object_get(json, "config");
	const char *name = named_record_name(json);
	img_auto(named_volume_release) struct named_volume named = {
		.volume = { .id = record->volume },
		.created_ns = (int64_t)json_integer_value(
			json_object_get(json, "created_ns")),
		.anonymous = json_is_true(json_object_get(json, "anonymous")),
	};
	struct img_err odd = { 0 };

	if (named_volume_name_check(name ? name : "", &odd) < 0)
		return img_err_set(err, IMG_E_CORRUPT, 0,
				   "a record of the ledger is damaged: %s",
				   odd.msg);
	(void)snprintf(named.name, sizeof(named.name), "%s", name);
	named.config = json_is_object(config) ? image_config_text(config)
					      : mem_strdup("{}");
	return enter(store, &named, record->size_bytes, err);
}
