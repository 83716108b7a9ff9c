#include "storage/store_settings.h"

#include "base/cleanup.h"
#include "base/num.h"
#include "base/str.h"

#include <string.h>

static const char *const keys[SETTINGS] = {
	[SETTING_STORE_ID] = "store_id",
	[SETTING_DRIVER] = "driver",
	[SETTING_DATA_BYTES] = "data_bytes",
	[SETTING_METADATA_BYTES] = "metadata_bytes",
	[SETTING_CHUNK_BYTES] = "chunk_bytes",
	[SETTING_VOLUME_BYTES] = "volume_bytes",
	[SETTING_MAX_BYTES] = "max_bytes",
	[SETTING_RESERVE_BYTES] = "reserve_bytes",
	[SETTING_DATA_DEVICE] = "data_device",
	[SETTING_METADATA_DEVICE] = "metadata_device",
};

void store_settings_release(struct store_settings *settings)
{
	for (int i = 0; i < SETTINGS; i++)
		img_mem_release(&settings->value[i]);
}

int store_settings_read(struct db *db, struct store_settings *ret,
			struct img_err *err)
{
	img_auto(db_row_end) struct db_row *row = NULL;
	int found = 0;
	int r = db_query(db, &row, err, "SELECT key, value FROM settings", "");

	while (r >= 0 && (r = db_next(row, err)) > 0) {
		const char *key = db_text(row, 0);

		found = 1;
		for (int i = 0; i < SETTINGS; i++)
			if (!ret->value[i] && strcmp(key, keys[i]) == 0)
				ret->value[i] = mem_strdup(db_text(row, 1));
	}
	return r < 0 ? r : found;
}

static int need(const struct store_settings *settings, int which,
		struct img_err *err)
{
	if (settings->value[which])
		return 0;
	return img_err_set(err, IMG_E_CORRUPT, 0,
			   "the catalog has no setting '%s'", keys[which]);
}

static int read_sizes(const struct store_settings *settings,
		      struct store_sizes *ret, struct img_err *err)
{
	const struct {
		int which;
		bool may_miss; /* then it is 0 */
		uint64_t *ret;
	} sizes[] = {
		{ SETTING_DATA_BYTES, false, &ret->data_bytes },
		{ SETTING_METADATA_BYTES, false, &ret->metadata_bytes },
		{ SETTING_CHUNK_BYTES, false, &ret->chunk_bytes },
		{ SETTING_VOLUME_BYTES, false, &ret->volume_bytes },
		{ SETTING_MAX_BYTES, true, &ret->max_bytes },
		{ SETTING_RESERVE_BYTES, true, &ret->reserve_bytes },
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < IMG_COUNT(sizes); i++) {
		int which = sizes[i].which;

		if (!sizes[i].may_miss)
			r = need(settings, which, err);
		if (r == 0 && settings->value[which])
			r = num_parse_u64(settings->value[which], keys[which],
					  sizes[i].ret, err);
	}
	return r;
}

static char *copy(const char *text)
{
	return text ? mem_strdup(text) : NULL;
}

int store_settings_apply(const struct store_settings *settings,
			 struct store *store, struct img_err *err)
{
	const char *id = settings->value[SETTING_STORE_ID];
	const char *driver = settings->value[SETTING_DRIVER];
	int r = need(settings, SETTING_STORE_ID, err);

	if (r == 0)
		r = need(settings, SETTING_DRIVER, err);
	if (r == 0)
		r = read_sizes(settings, &store->sizes, err);
	if (r == 0 && settings->value[SETTING_DATA_DEVICE])
		r = need(settings, SETTING_METADATA_DEVICE, err);
	if (r < 0)
		return r;
	if (!id || strlen(id) != STORE_ID_LEN)
		return img_err_set(err, IMG_E_CORRUPT, 0,
				   "the catalog's store id is damaged");
	memcpy(store->id, id, STORE_ID_LEN + 1);
	store->data_device = copy(settings->value[SETTING_DATA_DEVICE]);
	store->metadata_device = copy(settings->value[SETTING_METADATA_DEVICE]);
	store->driver = driver_find(driver);
	if (!store->driver)
		return img_err_set(err, IMG_E_UNSUPPORTED, 0,
				   "the store uses the driver '%s', which this "
				   "img does not have",
				   driver);
	return 0;
}
