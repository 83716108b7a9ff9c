#ifndef IMG_STORAGE_CATALOG_H
#define IMG_STORAGE_CATALOG_H

/*
 * The catalog: one SQLite file that says what the volumes of the pool are.
 *
 * It is a cache of the pool: what an image needs to be found again is in the
 * pool's ledger too (storage/ledger.h).  Volumes and intents belong to
 * storage/, images, names, history and named volumes to image/, containers,
 * their snapshots and what they use to runtime's caller in cli/.  Nothing that
 * the kernel knows (active, suspended, mounted, running) is written here.
 */
#include "base/db.h"

#define CATALOG_VERSION 5

/* Opens <root>/store.db; see db_open for @create. */
int catalog_open(const char *path, bool create, struct db **ret,
		 struct img_err *err) IMG_MUST_USE;

/* Settings of the store, by name.  A missing one is IMG_E_CORRUPT. */
int catalog_setting(struct db *db, const char *key, char **ret,
		    struct img_err *err) IMG_MUST_USE;
/* 1 with *ret set, 0 when there is no such setting. */
int catalog_setting_find(struct db *db, const char *key, char **ret,
			 struct img_err *err) IMG_MUST_USE;
int catalog_setting_u64(struct db *db, const char *key, uint64_t *ret,
			struct img_err *err) IMG_MUST_USE;
/* Within a transaction of the caller's. */
int catalog_set(struct db *db, const char *key, const char *value,
		struct img_err *err) IMG_MUST_USE;

#endif
