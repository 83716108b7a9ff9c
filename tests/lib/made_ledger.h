#ifndef IMG_TESTS_MADE_LEDGER_H
#define IMG_TESTS_MADE_LEDGER_H

/*
 * The log of a ledger in memory, whose bytes can be looked at and damaged.
 */
#include "storage/ledger_log.h"

#include <stddef.h>
#include <stdint.h>

#define BLOCK	 4096u
#define HALF	 (LEDGER_BYTES / 2)
#define FIRST_AT (HALF + BLOCK) /* generation 1 is in the second half */

struct made_ledger {
	int fd;
	uint8_t *bytes;
	/* The end of the log, and where the last append put its record. */
	struct ledger_tail tail, at;
};

/* Setup and teardown of a test: *state is a struct made_ledger, empty. */
int made_ledger_setup(void **state);
int made_ledger_teardown(void **state);

#define test_in_ledger(fn)                                                     \
	cmocka_unit_test_setup_teardown(fn, made_ledger_setup,                 \
					made_ledger_teardown)

/* A record of a volume of so many MiB; NULL: it is gone. */
int made_append(struct made_ledger *log, uint32_t volume, const char *json,
		struct img_err *err);
/* The same, which succeeds. */
void made_put(struct made_ledger *log, uint32_t volume, const char *json);
/* The same with @len letters, made_text's. */
void made_put_long(struct made_ledger *log, uint32_t volume, size_t len,
		   char letter);
/* Text of @len letters; the caller frees it. */
char *made_text(size_t len, char letter);

/* Where the log ends for one who begins with a hint, or without. */
struct ledger_tail made_open(const struct made_ledger *log,
			     struct ledger_tail hint);
struct ledger_tail made_open_anew(const struct made_ledger *log);
void assert_tail(struct ledger_tail a, struct ledger_tail b);

/* For ledger_log_each: "volume=first letters and length " of each, to a struct
 * str. */
int made_print(void *self, const struct ledger_record *record,
	       struct img_err *err);
/* That is what holds. */
void assert_holds(const struct made_ledger *log, const char *expected);

#endif
