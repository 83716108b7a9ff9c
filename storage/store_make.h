#ifndef IMG_STORAGE_STORE_MAKE_H
#define IMG_STORAGE_STORE_MAKE_H

/*
 * The first day of a store: its sizes, its sparse files, its catalog.
 */
#include "storage/driver.h"

/* Puts defaults for zeroes and rounds; IMG_E_INPUT says what is off. */
int store_sizes_check(const struct driver *driver, struct store_sizes *sizes,
		      struct img_err *err) IMG_MUST_USE;

/**
 * store_make - make the store that @options describe
 * @db_path: where its catalog goes
 *
 * A store is there once its settings are in the catalog, which is one durable
 * transaction; a crash before that leaves empty files, which the next call
 * takes over.  Several processes may call this at once: one makes the store,
 * all get it.
 *
 * Returns 0, or what backing_device_make returns where the options name block
 * devices, or IMG_E_CORRUPT when backing files hold data but no catalog is
 * there: they are left alone.
 */
int store_make(const struct store_options *options, const char *db_path,
	       struct db **ret, struct img_err *err) IMG_MUST_USE;

/* Puts the settings of a new store, with a new id, into its catalog. */
int store_settings_write(struct db *db, const struct store_options *options,
			 struct img_err *err) IMG_MUST_USE;

#endif
