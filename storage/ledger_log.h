#ifndef IMG_STORAGE_LEDGER_LOG_H
#define IMG_STORAGE_LEDGER_LOG_H

/*
 * The ledger's log on one open file or device: finding its end, reading it,
 * appending to it.  Knows nothing of stores, so it can be tested on a file.
 */
#include "storage/ledger.h"

/* A place in the log: of a record, or of the end where the next one goes. */
struct ledger_tail {
	uint64_t generation; /* of the half in use; 0: a log never written */
	uint64_t offset;     /* bytes from the start of the ledger */
	uint64_t seq;	     /* of the record that is or goes there */
};

/**
 * ledger_log_open - find the half in use and the end of its log
 * @fd: read and written in aligned blocks of 4096 bytes, so O_DIRECT is fine
 * @hint: where some record is, or all zero; a wrong one only costs a scan
 * @ret: the end of the log
 *
 * Returns 0, or IMG_E_CORRUPT when something is there, but no valid header;
 * IMG_E_UNSUPPORTED for a format of a later day.
 */
int ledger_log_open(int fd, const struct ledger_tail *hint,
		    struct ledger_tail *ret, struct img_err *err) IMG_MUST_USE;

/* Makes it as if it had never been written.  Durable. */
int ledger_log_clear(int fd, struct img_err *err) IMG_MUST_USE;

/**
 * ledger_log_append - add a record and make it durable
 * @tail: the end of the log
 * @record: json NULL says that the volume is gone
 * @ret_at: where the record went, if one was needed
 *
 * A full half is compacted into the other one first.  IMG_E_NO_SPACE when
 * what holds does not fit.
 */
int ledger_log_append(int fd, const struct ledger_tail *tail,
		      const struct ledger_record *record,
		      struct ledger_tail *ret_at,
		      struct img_err *err) IMG_MUST_USE;

/* As ledger_each, up to the end @tail. */
int ledger_log_each(int fd, const struct ledger_tail *tail,
		    int (*fn)(void *self, const struct ledger_record *record,
			      struct img_err *err),
		    void *self, struct img_err *err) IMG_MUST_USE;

#endif
