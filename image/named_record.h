#ifndef IMG_IMAGE_NAMED_RECORD_H
#define IMG_IMAGE_NAMED_RECORD_H

/*
 * What the ledger says of a named volume:
 *
 *	{"volume_name", "created_ns", "anonymous", "config": {...}}
 */
#include "image/named_volume.h"
#include "storage/ledger.h"

int named_record_put(struct store *store, const struct named_volume *named,
		     struct img_err *err) IMG_MUST_USE;

/* The name in a record; NULL where it is of something else. */
const char *named_record_name(const json_t *record);

/* Whether a record says of a volume what the catalog says. */
bool named_record_is_of(const struct ledger_record *record,
			const struct named_volume *named);

/* Enters one that only the ledger knows, in a durable transaction of its own.
 * Where another has its name by now it is "NAME-<id of the volume>". */
int named_record_adopt(struct store *store, const struct ledger_record *record,
		       const json_t *json, struct img_err *err) IMG_MUST_USE;

#endif
