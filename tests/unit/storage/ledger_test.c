#include "storage/ledger.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "tests/lib/crash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

static int print_record(void *self, const struct ledger_record *record,
			struct img_err *err)
{
	str_addf(self, "%u=%s ", record->volume, record->json);
	return 0;
}

static char *all(struct store *store)
{
	struct str text = { 0 };
	struct img_err err = { 0 };

	if (ledger_each(store, print_record, &text, &err) < 0)
		fail_msg("%s", err.msg);
	return str_take(&text);
}

static void assert_holds(struct store *store, const char *expected)
{
	img_auto(img_mem_release) char *text = all(store);

	assert_string_equal(text, expected);
}

static int put(struct store *store, uint32_t volume, const char *json,
	       struct img_err *err)
{
	return ledger_put(store,
			  &(struct ledger_record){ .volume = volume,
						   .size_bytes = 1,
						   .json = json },
			  err);
}

static void records_come_and_go(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	struct img_err err = { 0 };

	assert_holds(store, "");
	assert_int_equal(put(store, 5, "five", &err), 0);
	assert_int_equal(put(store, 3, "three", &err), 0);
	assert_int_equal(put(store, 5, "new", &err), 0);
	assert_holds(store, "3=three 5=new ");
	assert_int_equal(ledger_drop(store, 3, &err), 0);
	assert_int_equal(ledger_drop(store, 77, &err), 0);
	assert_holds(store, "5=new ");
	store_close(&store);
	fake_dm_reboot(t->fake);
	store = temp_store_open(t);
	assert_holds(store, "5=new ");
}

/* What the catalog says of where the log ends is a hint and no more. */
static void hints_may_be_wrong(void **state)
{
	static const char *const hints[] = { "",
					     "x",
					     "1 2",
					     "1 33558528 1",
					     "1 33558529 7",
					     "9 0 0",
					     "1 18446744073709547520 1" };
	img_auto(store_close) struct store *store = temp_store_open(*state);
	struct img_err err = { 0 };

	assert_int_equal(put(store, 1, "a", &err), 0);
	for (size_t i = 0; i < IMG_COUNT(hints); i++) {
		assert_true(db_run(store_db(store), &err,
				   "UPDATE settings SET value = ?"
				   " WHERE key = 'ledger_newest'",
				   "s", hints[i]) == 1);
		assert_int_equal(put(store, 2, "b", &err), 0);
		assert_holds(store, "1=a 2=b ");
	}
	assert_true(db_run(store_db(store), &err,
			   "DELETE FROM settings WHERE key = 'ledger_newest'",
			   "") == 1);
	assert_int_equal(put(store, 3, "c", &err), 0);
	assert_holds(store, "1=a 2=b 3=c ");
}

static void without_device_mapper_there_is_none(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	struct img_err err = { 0 };

	t->fake->absent = true;
	assert_int_equal(put(store, 1, "a", &err), -IMG_E_NO_DM);
}

static void prepare(struct crash_case *c, struct store *store)
{
	struct img_err err = { 0 };

	assert_int_equal(put(store, 1, "first", &err), 0);
	assert_int_equal(put(store, 2, "second", &err), 0);
}

static int run_put(struct crash_case *c, struct store *store,
		   struct img_err *err)
{
	return put(store, 1, "changed", err);
}

static void check_put(struct crash_case *c, struct store *store,
		      enum crash_end end)
{
	img_auto(img_mem_release) char *text = all(store);
	struct img_err err = { 0 };

	if (end == CRASH_DONE || strcmp(text, "1=first 2=second ") != 0)
		assert_string_equal(text, "1=changed 2=second ");
	/* And it goes on. */
	assert_int_equal(put(store, 3, "third", &err), 0);
	assert_int_equal(ledger_drop(store, 1, &err), 0);
	assert_holds(store, "2=second 3=third ");
	fake_dm_check(c->t->fake);
	assert_true(temp_store_is_unlocked(store));
}

static void putting(void **state)
{
	const struct crash_test test = { prepare, run_put, check_put, NULL };

	crash_every_way(&test);
}

/* The first record of a pool makes the ledger. */
static void prepare_none(struct crash_case *c, struct store *store)
{
}

static void check_first(struct crash_case *c, struct store *store,
			enum crash_end end)
{
	img_auto(img_mem_release) char *text = all(store);

	if (end == CRASH_DONE || text[0])
		assert_string_equal(text, "1=changed ");
	fake_dm_check(c->t->fake);
	assert_true(temp_store_is_unlocked(store));
}

static void putting_the_first(void **state)
{
	const struct crash_test test = { prepare_none, run_put, check_first,
					 NULL };

	crash_every_way(&test);
}

#define WRITERS 4
#define RECORDS 20

static void many_write_at_once(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = NULL;
	img_auto(img_mem_release) char *text = NULL;
	size_t n = 0;

	for (uint32_t i = 0; i < WRITERS; i++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid > 0)
			continue;
		store = temp_store_open(t);
		for (uint32_t j = 0; j < RECORDS; j++) {
			struct img_err err = { 0 };

			if (put(store, 1 + i * RECORDS + j, "x", &err) < 0) {
				(void)fprintf(stderr, "%s\n", err.msg);
				_exit(1);
			}
		}
		_exit(0);
	}
	for (int i = 0; i < WRITERS; i++) {
		int status;

		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	store = temp_store_open(t);
	text = all(store);
	for (const char *s = text; (s = strchr(s, 'x')) != NULL; s++)
		n++;
	assert_int_equal(n, WRITERS * RECORDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_store(records_come_and_go),
		test_in_store(hints_may_be_wrong),
		test_in_store(without_device_mapper_there_is_none),
		test_of_crash(putting),
		test_of_crash(putting_the_first),
		test_in_store(many_write_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
