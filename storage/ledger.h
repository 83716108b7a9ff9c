#ifndef IMG_STORAGE_LEDGER_H
#define IMG_STORAGE_LEDGER_H

/*
 * The ledger: what the images of a pool are, kept in the pool itself.
 *
 * Thin device 0 of the pool is a log of records, one for each image that was
 * made, named anew or removed; the last record of a volume is what holds.  The
 * first record, of the ledger's own volume, has the store's settings.  The
 * catalog can be rebuilt from all that.  One record costs one small write and
 * one flush, wherever the image's own volume may be and however large it is:
 * nothing is written into a snapshot only to say what it is.
 *
 * The log has two halves.  When one is full, what still holds is copied to the
 * other, whose header is written last: a crash leaves one valid half.  A
 * record that was torn by a crash ends the log, and the next one takes its
 * place.  docs/on-disk.md has the format.
 */
#include "base/lock.h"
#include "storage/store.h"

#define LEDGER_VOLUME	  0u
#define LEDGER_BYTES	  (UINT64_C(64) << 20)
#define LEDGER_RECORD_MAX (UINT64_C(1) << 20)

struct ledger_record {
	uint32_t volume;
	uint64_t size_bytes;
	const char *json; /* what image/ wants to find again; never NULL */
	uint64_t seq;	  /* of two records the later one; set by ledger_each */
};

/**
 * ledger_begin - be alone with changing what the ledger and the catalog have
 * @ret: the caller lets go of it once both have it
 *
 * For a record that is made of what the catalog says: from before that is read
 * until after the transaction that follows the record.  Else of two changes at
 * once the later record may lack the other's.  Not within a transaction.
 */
int ledger_begin(struct store *store, struct lock *ret,
		 struct img_err *err) IMG_MUST_USE;

/**
 * ledger_put - record what a volume is, in place of its earlier record
 *
 * Durable when it returns 0.  Takes LOCK_LEDGER.  Must not be called inside a
 * transaction of the catalog.
 */
int ledger_put(struct store *store, const struct ledger_record *record,
	       struct img_err *err) IMG_MUST_USE;

/* Records that a volume is gone; one that never was there is no failure. */
int ledger_drop(struct store *store, uint32_t volume,
		struct img_err *err) IMG_MUST_USE;

/* Records the store's settings anew, after they have changed. */
int ledger_put_store(struct store *store, struct img_err *err) IMG_MUST_USE;

/* Makes a damaged ledger an empty one, with the settings only.  The caller
 * puts all images' records; until then only the catalog knows them. */
int ledger_make_anew(struct store *store, struct img_err *err) IMG_MUST_USE;

/* 1 with the settings as they were recorded (storage/settings.h; the caller
 * frees them), 0 when they never were. */
int ledger_get_store(struct store *store, char **ret,
		     struct img_err *err) IMG_MUST_USE;

/* Calls @fn for the last record of each volume but the ledger's own, by
 * ascending volume; a non-zero return ends the walk and is returned. */
int ledger_each(struct store *store,
		int (*fn)(void *self, const struct ledger_record *record,
			  struct img_err *err),
		void *self, struct img_err *err) IMG_MUST_USE;

#endif
