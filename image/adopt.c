#include "image/adopt.h"

#include "base/cleanup.h"
#include "image/config.h"
#include "image/name.h"
#include "image/named_record.h"
#include "image/rows.h"
#include "storage/volume.h"

#include <stdio.h>
#include <string.h>

/* What a record must have, and what it may. */
struct parsed {
	const char *id, *parent;
	json_int_t created_ns;
	json_t *config, *names, *history;
};

static bool is_id(const char *text)
{
	return id_is_prefix(text) && strlen(text) == ID_LEN;
}

static int parse(json_t *record, struct parsed *p, struct img_err *err)
{
	json_error_t why;

	if (json_unpack_ex(record, &why, 0, "{ss ss sI so so so}", "id", &p->id,
			   "parent", &p->parent, "created_ns", &p->created_ns,
			   "config", &p->config, "names", &p->names, "history",
			   &p->history) < 0)
		return img_err_set(err, IMG_E_CORRUPT, 0,
				   "a record of the ledger is damaged: %s",
				   why.text);
	if (!is_id(p->id) || (*p->parent && !is_id(p->parent)))
		return img_err_set(err, IMG_E_CORRUPT, 0,
				   "a record of the ledger is damaged: "
				   "it names no image");
	return 0;
}

static int insert_image(struct db *db, const struct parsed *p, uint32_t volume,
			struct img_err *err)
{
	img_auto(img_mem_release) char *config = image_config_text(p->config);
	struct image image = {
		.volume.id = volume,
		.created_ns = (int64_t)p->created_ns,
		.config = config,
	};

	(void)snprintf(image.id.hex, sizeof(image.id.hex), "%s", p->id);
	(void)snprintf(image.parent.hex, sizeof(image.parent.hex), "%s",
		       p->parent);
	return image_row_add(db, &image, err);
}

static int insert_names(struct db *db, const struct parsed *p,
			struct img_err *err)
{
	json_t *item;
	size_t i;

	json_array_foreach(p->names, i, item)
	{
		struct image_name name;
		int r = image_name_parse(
			json_string_value(item) ? json_string_value(item) : "",
			&name, err);

		if (r == 0)
			r = db_run(db, err,
				   "INSERT OR IGNORE INTO names"
				   " (name, tag, image) VALUES (?, ?, ?)",
				   "sss", name.name, name.tag, p->id);
		if (r < 0)
			return r;
	}
	return 0;
}

static int insert_history(struct db *db, const struct parsed *p,
			  struct img_err *err)
{
	json_t *item;
	size_t i;

	json_array_foreach(p->history, i, item)
	{
		struct image_step step = { "", 0, "", "" };
		json_int_t created_ns = 0;
		int r;

		/* A step with less in it is still a step. */
		(void)json_unpack(item, "{s?s s?I s?s s?s}", "layer",
				  &step.layer, "created_ns", &created_ns,
				  "created_by", &step.created_by, "comment",
				  &step.comment);
		step.created_ns = (int64_t)created_ns;
		r = image_step_add(db, p->id, &step, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int image_adopt(struct store *store, const struct ledger_record *record,
		struct img_err *err)
{
	img_auto(json_release) json_t *json = NULL;
	img_auto(db_txn_release) struct db *txn = NULL;
	struct db *db = store_db(store);
	struct parsed p = { 0 };
	int r = image_config_parse(record->json, &json, err);

	if (r == 0 && named_record_name(json))
		return named_record_adopt(store, record, json, err);
	if (r == 0)
		r = parse(json, &p, err);
	if (r == 0)
		r = db_begin(db, true, err);
	if (r < 0)
		return r;
	txn = db;
	r = volume_adopt(store, record->volume, record->size_bytes, err);
	if (r == 0)
		r = insert_image(db, &p, record->volume, err);
	if (r == 0)
		r = insert_names(db, &p, err);
	if (r == 0)
		r = insert_history(db, &p, err);
	return r < 0 ? r : db_commit(db, err);
}
