#include "base/cleanup.h"
#include "cli/container.h"
#include "tests/lib/temp_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void good_and_bad_names(void **state)
{
	static const char *const good[] = { "ab",      "web", "Web-1",
					    "a.b_c-d", "0x",  "A_" };
	static const char *const bad[] = { "",	  "a",	      "-ab", ".ab",
					   "_ab", "a b",      "a/b", "a:b",
					   "a\n", "\xc3\xa4", "a+b" };
	char text[CONTAINER_NAME_MAX + 2];
	struct img_err err = { 0 };

	for (size_t i = 0; i < IMG_COUNT(good); i++)
		if (container_name_check(good[i], &err) < 0)
			fail_msg("%s", err.msg);
	for (size_t i = 0; i < IMG_COUNT(bad); i++) {
		err = (struct img_err){ 0 };
		if (container_name_check(bad[i], &err) != -IMG_E_INPUT)
			fail_msg("'%s' was taken", bad[i]);
		assert_non_null(strstr(err.msg, "is not a container name"));
	}
	memset(text, 'a', sizeof(text));
	text[CONTAINER_NAME_MAX + 1] = '\0';
	err = (struct img_err){ 0 };
	assert_int_equal(container_name_check(text, &err), -IMG_E_INPUT);
	text[CONTAINER_NAME_MAX] = '\0';
	err = (struct img_err){ 0 };
	assert_int_equal(container_name_check(text, &err), 0);
}

static void names_are_made_up(void **state)
{
	img_auto(store_close) struct store *store = temp_store_open(*state);
	char name[CONTAINER_NAME_MAX + 1];
	struct img_err err = { 0 };

	for (int i = 0; i < 50; i++) {
		assert_int_equal(container_name_invent(store, name, &err), 0);
		assert_int_equal(container_name_check(name, &err), 0);
		assert_non_null(strchr(name, '_'));
	}
}

/* Every name of two words is taken: then a number makes the difference. */
static void a_crowded_store(void **state)
{
	img_auto(store_close) struct store *store = temp_store_open(*state);
	char name[CONTAINER_NAME_MAX + 1];
	struct img_err err = { 0 };
	int64_t before = 0, after = 0;

	/* One row stands for all: names are only looked for in this table. */
	assert_true(db_run(store_db(store), &err, "PRAGMA foreign_keys = OFF",
			   "") >= 0);
	assert_true(db_run(store_db(store), &err,
			   "CREATE TEMP TABLE containers (name TEXT)",
			   "") >= 0);
	for (int i = 0; i < 600; i++) {
		assert_int_equal(container_name_invent(store, name, &err), 0);
		assert_true(db_run(store_db(store), &err,
				   "INSERT INTO containers VALUES (?)", "s",
				   name) >= 0);
	}
	before = temp_store_count(store, "SELECT count(*) FROM containers");
	after = temp_store_count(store, "SELECT count(DISTINCT name)"
					" FROM containers");
	assert_int_equal(before, 600);
	assert_int_equal(after, 600);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_and_bad_names),
		test_in_store(names_are_made_up),
		test_in_store(a_crowded_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
