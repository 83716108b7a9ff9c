#ifndef IMG_STORAGE_STORE_SETTINGS_H
#define IMG_STORAGE_STORE_SETTINGS_H

/*
 * What the catalog says of the store itself, read in one query: every command
 * begins with it.
 */
#include "storage/store_impl.h"

enum {
	SETTING_STORE_ID,
	SETTING_DRIVER,
	SETTING_DATA_BYTES,
	SETTING_METADATA_BYTES,
	SETTING_CHUNK_BYTES,
	SETTING_VOLUME_BYTES,
	SETTING_MAX_BYTES,
	SETTING_RESERVE_BYTES,
	SETTING_DATA_DEVICE,
	SETTING_METADATA_DEVICE,
	SETTINGS
};

/* Zero-initialise; one that the catalog does not have is NULL. */
struct store_settings {
	char *value[SETTINGS];
};
void store_settings_release(struct store_settings *settings);

/* 1, or 0 where there are no settings: the catalog's making was interrupted. */
int store_settings_read(struct db *db, struct store_settings *ret,
			struct img_err *err) IMG_MUST_USE;

/* Makes them @store's.  IMG_E_CORRUPT, IMG_E_INPUT or IMG_E_UNSUPPORTED names
 * the one that is off. */
int store_settings_apply(const struct store_settings *settings,
			 struct store *store, struct img_err *err) IMG_MUST_USE;

#endif
