#ifndef IMG_STORAGE_SETTINGS_H
#define IMG_STORAGE_SETTINGS_H

/*
 * A store's settings as one JSON object of strings, as the ledger keeps them:
 * with these a lost catalog is made again.  What is only a hint stays out.
 */
#include "base/db.h"

#include <stdbool.h>

/* The name of a setting that is a hint begins so. */
#define SETTINGS_HINT_PREFIX "ledger_"

/* {"store_id": "...", "driver": "thin", ...}; heap. */
int settings_text(struct db *db, char **ret, struct img_err *err) IMG_MUST_USE;

/* Puts them all into a catalog, within a transaction of the caller's.
 * IMG_E_CORRUPT when that is no such object. */
int settings_restore(struct db *db, const char *text,
		     struct img_err *err) IMG_MUST_USE;

/* True when a catalog made from @recorded would be the one that has @now: what
 * the pool itself tells, or finds out when it comes up, may differ. */
bool settings_same(const char *recorded, const char *now);

#endif
