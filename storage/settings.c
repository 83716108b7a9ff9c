#include "storage/settings.h"

#include "base/cleanup.h"
#include "storage/catalog.h"

#include <jansson.h>
#include <string.h>

static void release_json(json_t **json)
{
	json_decref(*json);
	*json = NULL;
}

int settings_text(struct db *db, char **ret, struct img_err *err)
{
	img_auto(release_json) json_t *all = json_object();
	img_auto(db_row_end) struct db_row *row = NULL;
	int r = db_query(db, &row, err, "SELECT key, value FROM settings", "");

	while (r >= 0 && (r = db_next(row, err)) > 0) {
		const char *key = db_text(row, 0);

		if (strncmp(key, SETTINGS_HINT_PREFIX,
			    strlen(SETTINGS_HINT_PREFIX)) != 0)
			(void)json_object_set_new(all, key,
						  json_string(db_text(row, 1)));
	}
	if (r < 0)
		return r;
	*ret = json_dumps(all, JSON_COMPACT | JSON_SORT_KEYS);
	return 0;
}

int settings_restore(struct db *db, const char *text, struct img_err *err)
{
	img_auto(release_json) json_t *all = json_loads(text, 0, NULL);
	const char *key;
	json_t *value;

	if (!json_is_object(all))
		return img_err_set(err, IMG_E_CORRUPT, 0,
				   "the ledger's record of the store is no "
				   "JSON object");
	json_object_foreach(all, key, value)
	{
		int r = json_is_string(value)
				? catalog_set(db, key, json_string_value(value),
					      err)
				: img_err_set(err, IMG_E_CORRUPT, 0,
					      "the ledger's record of the "
					      "store has a damaged %s",
					      key);

		if (r < 0)
			return r;
	}
	return 0;
}

/* How large the pool is by now, and what its devices are called today. */
static void drop_passing(json_t *settings)
{
	static const char *const passing[] = { "data_bytes", "metadata_bytes",
					       "data_device", "metadata_device",
					       "pool_marked" };

	for (size_t i = 0; i < IMG_COUNT(passing); i++)
		(void)json_object_del(settings, passing[i]); /* may be absent */
}

bool settings_same(const char *recorded, const char *now)
{
	img_auto(release_json) json_t *a = json_loads(recorded, 0, NULL);
	img_auto(release_json) json_t *b = json_loads(now, 0, NULL);

	if (!a || !b)
		return false;
	drop_passing(a);
	drop_passing(b);
	return json_equal(a, b);
}
