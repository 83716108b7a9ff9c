#include "storage/ledger_log.h"

#include "base/cleanup.h"
#include "base/num.h"
#include "base/str.h"
#include "tests/lib/fault.h"
#include "tests/lib/made_ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void a_new_log_is_empty(void **state)
{
	struct made_ledger *log = *state;

	assert_tail(log->tail, (struct ledger_tail){ 0, 0, 1 });
	assert_holds(log, "");
}

static void the_last_record_of_a_volume_holds(void **state)
{
	struct made_ledger *log = *state;

	made_put(log, 7, "seven");
	made_put(log, 2, "two");
	made_put(log, 5, "five");
	assert_holds(log, "2=two3 5=five4 7=seve5 ");
	made_put(log, 2, "other");
	made_put(log, 7, NULL);
	made_put(log, 9, NULL);
	assert_holds(log, "2=othe5 5=five4 ");
	made_put_long(log, 7, 3 * BLOCK, 'x');
	made_put_long(log, 0xffffff, BLOCK - 40, 'y'); /* fills its block */
	assert_holds(log, "2=othe5 5=five4 7=xxxx12288 16777215=yyyy4056 ");
	assert_int_equal(log->tail.generation, 1);
	assert_tail(made_open_anew(log), log->tail);
}

static int stop(void *self, const struct ledger_record *record,
		struct img_err *err)
{
	return 42;
}

static void a_walk_ends_when_asked(void **state)
{
	struct made_ledger *log = *state;
	struct img_err err = { 0 };

	made_put(log, 1, "a");
	assert_int_equal(ledger_log_each(log->fd, &log->tail, stop, NULL, &err),
			 42);
}

static void a_record_has_a_limit(void **state)
{
	struct made_ledger *log = *state;
	img_auto(img_mem_release) char *s =
		made_text(LEDGER_RECORD_MAX + 1, 'x');
	struct img_err err = { 0 };

	assert_int_equal(made_append(log, 1, s, &err), -IMG_E_INPUT);
	assert_non_null(strstr(err.msg, "larger than 1 MiB"));
	s[LEDGER_RECORD_MAX] = '\0';
	made_put(log, 1, s);
	assert_holds(log, "1=xxxx1048576 ");
}

static void a_wrong_hint_only_costs_a_scan(void **state)
{
	struct made_ledger *log = *state;
	static const uint64_t offsets[] = {
		0,
		1,
		BLOCK,
		HALF,
		FIRST_AT,
		FIRST_AT + 1,
		HALF - 4096,
		LEDGER_BYTES,
		LEDGER_BYTES - BLOCK,
		UINT64_MAX,
		UINT64_MAX - BLOCK + 1,
		UINT64_C(1) << 63,
	};

	made_put(log, 1, "a");
	made_put_long(log, 2, 2 * BLOCK, 'b');
	made_put(log, 3, "c");
	for (size_t i = 0; i < IMG_COUNT(offsets); i++)
		for (uint64_t generation = 0; generation < 4; generation++)
			for (uint64_t seq = 0; seq < 5; seq++)
				assert_tail(made_open(log,
						      (struct ledger_tail){
							      generation,
							      offsets[i],
							      seq }),
					    log->tail);
	assert_tail(made_open(log, log->at), log->tail);
	assert_tail(made_open(log, log->tail), log->tail);
}

static void many_generations(void **state)
{
	struct made_ledger *log = *state;
	size_t len = 900 * KIB;

	made_put(log, 1, "stays");
	for (unsigned i = 0; i < 130; i++) {
		made_put_long(log, 2 + i % 3, len, (char)('a' + i % 26));
		if (i % 17 == 0)
			assert_tail(made_open_anew(log), log->tail);
	}
	assert_true(log->tail.generation >= 4);
	assert_holds(log, "1=stay5 2=zzzz921600 3=xxxx921600 4=yyyy921600 ");
}

/* Four images of whom much was written, up to the last block. */
static void fill(struct made_ledger *log)
{
	for (uint32_t id = 1; id <= 31; id++)
		made_put_long(log, id % 4 + 1, LEDGER_RECORD_MAX - BLOCK, 'x');
	while (log->tail.offset + BLOCK <= LEDGER_BYTES)
		made_put(log, 99, "small");
	assert_int_equal(log->tail.generation, 1);
}

static void a_full_log_says_so(void **state)
{
	struct made_ledger *log = *state;
	img_auto(img_mem_release) char *s = made_text(LEDGER_RECORD_MAX, 'y');
	struct img_err err = { 0 };
	struct ledger_tail before;

	for (uint32_t id = 1; id <= 31; id++)
		made_put_long(log, id, LEDGER_RECORD_MAX, 'x');
	before = log->tail;
	assert_int_equal(made_append(log, 32, s, &err), -IMG_E_NO_SPACE);
	assert_string_equal(err.msg, "the ledger of the pool is full");
	/* All that holds still does, and smaller ones fit. */
	log->tail = made_open_anew(log);
	assert_true(log->tail.seq >= before.seq);
	made_put(log, 33, "small");
	for (uint32_t id = 2; id <= 31; id++)
		made_put(log, id, NULL);
	assert_holds(log, "1=xxxx1048576 33=smal5 ");
}

static void a_record_leaves_a_full_log(void **state)
{
	struct made_ledger *log = *state;
	struct ledger_tail tail;

	/* Records of one block, all of which hold, up to the last block. */
	for (uint32_t id = 1; id < HALF / BLOCK; id++)
		made_put(log, id, "x");
	tail = log->tail;
	assert_int_equal(tail.offset, LEDGER_BYTES);
	made_put(log, 17, NULL);
	assert_int_equal(log->tail.generation, 2);
	assert_int_equal(log->tail.offset, HALF - BLOCK);
	made_put(log, 17, "y");
	made_put(log, 18, NULL);
	assert_int_equal(log->tail.offset, LEDGER_BYTES - BLOCK);
}

/* Wherever moving to the other half fails, the half in use stays good. */
static void a_move_that_fails_changes_nothing(void **state)
{
	struct made_ledger *log = *state;
	struct ledger_tail full;
	unsigned n = 1, steps;

	fill(log);
	full = log->tail;
	for (;; n++) {
		struct img_err err = { 0 };
		int r;

		fault_arm(FAULT_FAIL, n);
		r = made_append(log, 100, "new", &err);
		steps = fault_disarm();
		/* The space ahead, which comes last, is no need. */
		if (steps < n || r == 0)
			break;
		assert_int_equal(r, -IMG_E_SYS);
		log->tail = made_open_anew(log);
		/* The last two steps are the record's own. */
		assert_int_equal(log->tail.generation > full.generation,
				 log->tail.offset < HALF);
		/* Only the other half was written to. */
		memset(log->bytes, 0, BLOCK);
		assert_tail(made_open_anew(log), full);
		log->tail = full;
	}
	assert_true(n > 8);
	assert_int_equal(log->tail.generation, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_ledger(a_new_log_is_empty),
		test_in_ledger(the_last_record_of_a_volume_holds),
		test_in_ledger(a_walk_ends_when_asked),
		test_in_ledger(a_record_has_a_limit),
		test_in_ledger(a_wrong_hint_only_costs_a_scan),
		test_in_ledger(many_generations),
		test_in_ledger(a_full_log_says_so),
		test_in_ledger(a_record_leaves_a_full_log),
		test_in_ledger(a_move_that_fails_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
