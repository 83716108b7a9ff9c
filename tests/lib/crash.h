#ifndef IMG_TESTS_LIB_CRASH_H
#define IMG_TESTS_LIB_CRASH_H

/*
 * One operation on a store, with a fault at every step of it in turn.
 *
 * For each n, a new store is made and prepared; then the operation runs on it,
 * in which step n fails, or before which the process, one of its own, dies. The
 * next process that opens the store meets a fault in its recovery.  Then this
 * one opens the store, as the next command would, and all must be in order
 * again.
 */
#include "tests/lib/fault.h"
#include "tests/lib/temp_store.h"

enum crash_end {
	CRASH_DONE,   /* the operation returned 0: it counts */
	CRASH_FAILED, /* it returned an error: it must not have happened */
	CRASH_DIED,   /* either is right, but nothing in between */
};

struct crash_case {
	struct temp_store *t;
	uint32_t volume[4]; /* for the operation's own use */
	struct id id[4];
	const char *message; /* of the failure, with CRASH_FAILED */
};

struct crash_test {
	/* Runs in this process; leaves a store behind, closed. */
	void (*prepare)(struct crash_case *c, struct store *store);
	/* Runs in a process that may die. */
	int (*run)(struct crash_case *c, struct store *store,
		   struct img_err *err);
	/* Runs after the next command opened the store. */
	void (*check)(struct crash_case *c, struct store *store,
		      enum crash_end end);
	/* The operation is the opening of the store: @run gets a NULL store,
	 * and nothing is prepared unless by @prepare_dir. */
	void (*prepare_dir)(struct crash_case *c);
};

/* Returns how many steps the operation has. */
unsigned crash_at_every_step(const struct crash_test *test, enum fault fault);
/* With failures, and then with deaths. */
void crash_every_way(const struct crash_test *test);

/* For a test that calls that: says at which step it failed, if it did. */
int crash_teardown(void **state);
#define test_of_crash(fn) cmocka_unit_test_teardown(fn, crash_teardown)

#endif
