#ifndef IMG_STORAGE_LEDGER_BLOCK_H
#define IMG_STORAGE_LEDGER_BLOCK_H

/*
 * The ledger's log block by block: headers of its halves, and records.
 *
 * Everything is read and written in aligned blocks of LEDGER_BLOCK bytes, and
 * believed only if its checksum is right.  docs/on-disk.md has the format.
 */
#include "storage/ledger_log.h"

#include <stdbool.h>

#define LEDGER_BLOCK 4096u
#define LEDGER_HALF  (LEDGER_BYTES / 2)
#define LEDGER_NAME  "the ledger" /* in messages */

struct ledger_half {
	uint64_t generation; /* 0: there is no valid header */
	uint64_t first_seq;
	bool blank; /* nothing was ever written there */
};

/* Where the half of a generation begins, in bytes. */
uint64_t ledger_half_start(uint64_t generation);
/* @half: 0 or 1.  IMG_E_UNSUPPORTED for a format of a later day. */
int ledger_half_read(int fd, int half, struct ledger_half *ret,
		     struct img_err *err) IMG_MUST_USE;
/* Writes the header and syncs: from then on this half is the one in use. */
int ledger_half_write(int fd, uint64_t generation, uint64_t first_seq,
		      struct img_err *err) IMG_MUST_USE;

/* Makes the half one that was never written, and syncs. */
int ledger_half_clear(int fd, int half, struct img_err *err) IMG_MUST_USE;

/* True when there is room for @record at @tail, within its half. */
bool ledger_block_fits(const struct ledger_tail *tail,
		       const struct ledger_record *record);

/**
 * ledger_block_read - read the record at a place
 * @ret: its json is NULL when the record says that the volume is gone
 * @ret_json: what ret->json points to; the caller frees it
 * @ret_next: the place behind it; may be @at
 *
 * Returns 1, or 0 when the log ends there, or <0.
 */
int ledger_block_read(int fd, const struct ledger_tail *at,
		      struct ledger_record *ret, char **ret_json,
		      struct ledger_tail *ret_next,
		      struct img_err *err) IMG_MUST_USE;
/* Writes a record that fits, without a sync, and moves @tail behind it. */
int ledger_block_write(int fd, struct ledger_tail *tail,
		       const struct ledger_record *record,
		       struct img_err *err) IMG_MUST_USE;

#endif
