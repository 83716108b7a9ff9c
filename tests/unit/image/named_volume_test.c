#include "image/named_volume.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "image/adopt.h"
#include "image/examine.h"
#include "image/named_record.h"
#include "storage/finding.h"
#include "tests/lib/crash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/*
 * Named volumes come and go, and at every step of that something fails or the
 * process dies; and what the ledger says of them is enough to find them again.
 */

/* As `volume create` does it, but for the file system. */
static int add(struct store *store, const char *name, struct img_err *err)
{
	img_auto(volume_pending_release) struct volume_pending new = { 0 };
	img_auto(named_volume_release) struct named_volume named = {
		.created_ns = 5,
		.config = mem_strdup("{\"Labels\":{\"a\":\"b\"}}"),
	};
	int r = volume_create(store, UINT64_C(16) << 20, &new, err);

	(void)snprintf(named.name, sizeof(named.name), "%s", name);
	return r < 0 ? r : named_volume_add(store, &named, &new, err);
}

static bool has(struct store *store, const char *name, uint32_t *ret_volume)
{
	img_auto(named_volume_release) struct named_volume named = { 0 };
	struct img_err err = { 0 };
	int r = named_volume_find(store, name, &named, &err);

	if (r < 0 && r != -IMG_E_NOT_FOUND)
		fail_msg("%s", err.msg);
	if (r == 0 && ret_volume)
		*ret_volume = named.volume.id;
	return r == 0;
}

/* All is well with what the store has, which are named volumes alone. */
static void check(struct crash_case *c, struct store *store)
{
	uint32_t loose[4] = { 0 };
	size_t n = 0;

	n += has(store, "one", &loose[n]);
	n += has(store, "two", &loose[n]);
	temp_store_check(c->t, store, loose, NULL);
}

static void prepare_none(struct crash_case *c, struct store *store)
{
}

static int run_add(struct crash_case *c, struct store *store,
		   struct img_err *err)
{
	return add(store, "one", err);
}

static void check_add(struct crash_case *c, struct store *store,
		      enum crash_end end)
{
	check(c, store);
	if (end != CRASH_DIED)
		assert_int_equal(has(store, "one", NULL), end == CRASH_DONE);
}

static void adding(void **state)
{
	const struct crash_test test = { prepare_none, run_add, check_add,
					 NULL };

	assert_true(crash_at_every_step(&test, FAULT_FAIL) > 5);
	assert_true(crash_at_every_step(&test, FAULT_KILL) > 5);
}

static void prepare_two(struct crash_case *c, struct store *store)
{
	struct img_err err = { 0 };

	assert_int_equal(add(store, "one", &err), 0);
	assert_int_equal(add(store, "two", &err), 0);
}

static int run_remove(struct crash_case *c, struct store *store,
		      struct img_err *err)
{
	img_auto(named_volume_release) struct named_volume named = { 0 };
	int r = named_volume_find(store, "one", &named, err);

	return r < 0 ? r : named_volume_remove(store, &named, err);
}

static void check_remove(struct crash_case *c, struct store *store,
			 enum crash_end end)
{
	check(c, store);
	assert_true(has(store, "two", NULL));
	if (end == CRASH_DONE)
		assert_false(has(store, "one", NULL));
}

static void removing(void **state)
{
	const struct crash_test test = { prepare_two, run_remove, check_remove,
					 NULL };

	assert_true(crash_at_every_step(&test, FAULT_FAIL) > 5);
	assert_true(crash_at_every_step(&test, FAULT_KILL) > 5);
}

static void names(void **state)
{
	static const char *const good[] = { "ab", "A.b_c-9", "0x" };
	static const char *const bad[] = { "", "a", ".a", "a/b", "a b", "-a" };
	char longest[NAMED_VOLUME_NAME_MAX + 2];
	struct img_err err = { 0 };

	for (size_t i = 0; i < IMG_COUNT(good); i++)
		assert_int_equal(named_volume_name_check(good[i], &err), 0);
	for (size_t i = 0; i < IMG_COUNT(bad); i++) {
		err = (struct img_err){ 0 };
		assert_int_equal(named_volume_name_check(bad[i], &err),
				 -IMG_E_INPUT);
		assert_non_null(strstr(err.msg, "' is not a volume name: "));
	}
	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(named_volume_name_check(longest, &err), -IMG_E_INPUT);
	longest[sizeof(longest) - 2] = '\0';
	assert_int_equal(named_volume_name_check(longest, &err), 0);
}

static void a_name_is_taken_once(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	struct named_volume_new small = { .name = "two", .size_bytes = 4096 };
	const struct named_volume_new taken = { .name = "one" };
	struct img_err err = { 0 };
	const uint32_t loose[] = { 1, 0 };

	assert_int_equal(add(store, "one", &err), 0);
	assert_int_equal(add(store, "one", &err), -IMG_E_EXISTS);
	assert_string_equal(err.msg, "the volume name 'one' is taken");
	err = (struct img_err){ 0 };
	assert_int_equal(named_volume_create(store, &taken, &err),
			 -IMG_E_EXISTS);
	err = (struct img_err){ 0 };
	assert_int_equal(named_volume_create(store, &small, &err),
			 -IMG_E_INPUT);
	assert_string_equal(err.msg,
			    "the volume's size must be from 16M to 16T");
	temp_store_check(t, store, loose, NULL);
}

static void run_sql(struct store *store, const char *sql)
{
	struct img_err err = { 0 };

	if (db_run(store_db(store), &err, sql, "") < 0)
		fail_msg("%s", err.msg);
}

static void one_that_a_container_has_stays(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	img_auto(named_volume_release) struct named_volume named = { 0 };
	const uint32_t loose[] = { 1, 2, 0 };
	struct img_err err = { 0 };

	assert_int_equal(add(store, "one", &err), 0);
	assert_int_equal(temp_store_add_volume(store), 2);
	run_sql(store, "INSERT INTO containers (id, name, volume, image,"
		       " image_name, created_ns, auto_remove, config)"
		       " VALUES ('c', 'web', 2, '', '', 0, 0, '{}')");
	run_sql(store, "INSERT INTO volume_users (container, name, anonymous)"
		       " VALUES ('c', 'one', 0)");
	assert_int_equal(named_volume_find(store, "one", &named, &err), 0);
	assert_int_equal(named_volume_remove(store, &named, &err), -IMG_E_BUSY);
	assert_string_equal(err.msg, "a container has it");
	assert_true(has(store, "one", NULL));
	temp_store_check(t, store, loose, NULL);
	/* With the container its claim goes. */
	run_sql(store, "DELETE FROM containers");
	err = (struct img_err){ 0 };
	assert_int_equal(named_volume_remove(store, &named, &err), 0);
	assert_false(has(store, "one", NULL));
}

static void what_only_the_ledger_knows_comes_back(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	img_auto(named_volume_release) struct named_volume named = { 0 };
	const uint32_t loose[] = { 1, 2, 0 };
	struct img_err err = { 0 };

	t->options.adopt = image_adopt;
	assert_int_equal(add(store, "one", &err), 0);
	assert_int_equal(add(store, "two", &err), 0);
	run_sql(store, "DELETE FROM named_volumes");
	run_sql(store, "DELETE FROM volumes");
	temp_store_close(&store);
	fake_dm_reboot(t->fake);
	store = temp_store_open(t);
	temp_store_check(t, store, loose, NULL);
	assert_true(has(store, "two", NULL));
	assert_int_equal(named_volume_find(store, "one", &named, &err), 0);
	assert_int_equal(named.volume.size_bytes, UINT64_C(16) << 20);
	assert_int_equal(named.created_ns, 5);
	assert_string_equal(named.config, "{\"Labels\":{\"a\":\"b\"}}");
}

static void of_two_with_a_name_both_come_back(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	const uint32_t loose[] = { 1, 2, 0 };
	struct img_err err = { 0 };

	t->options.adopt = image_adopt;
	assert_int_equal(add(store, "one", &err), 0);
	run_sql(store, "DELETE FROM named_volumes");
	assert_int_equal(add(store, "one", &err), 0);
	run_sql(store, "DELETE FROM volumes WHERE id = 1");
	temp_store_close(&store);
	fake_dm_reboot(t->fake);
	store = temp_store_open(t);
	temp_store_check(t, store, loose, NULL);
	assert_true(has(store, "one", NULL));
	assert_true(has(store, "one-1", NULL));
}

/* What the examination finds; then it is mended. */
static void finds_and_mends(struct store *store, const char *kind)
{
	img_auto(findings_release) struct findings found = { 0 };
	img_auto(findings_release) struct findings after = { 0 };
	struct img_err err = { 0 };

	assert_int_equal(image_examine(store, &found, &err), 0);
	assert_int_equal(found.n, 1);
	assert_string_equal(found.all[0].kind, kind);
	assert_int_equal(found.all[0].mend(store, &found.all[0], &err), 0);
	assert_int_equal(image_examine(store, &after, &err), 0);
	assert_int_equal(after.n, 0);
}

static void catalog_and_ledger_are_held_against_each_other(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	const uint32_t loose[] = { 1, 0 };
	struct img_err err = { 0 };

	assert_int_equal(add(store, "one", &err), 0);
	run_sql(store, "UPDATE named_volumes SET name = 'two'");
	finds_and_mends(store, "record-differs");
	assert_int_equal(ledger_drop(store, 1, &err), 0);
	finds_and_mends(store, "unrecorded-volume");
	run_sql(store, "DELETE FROM named_volumes");
	finds_and_mends(store, "lost-volume");
	assert_true(has(store, "two", NULL));
	temp_store_check(t, store, loose, NULL);
}

/* Made larger by who does not know yet that it is gone, or larger already. */
static void a_late_resize_leaves_no_record(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	img_auto(named_volume_release) struct named_volume named = { 0 };
	img_auto(findings_release) struct findings found = { 0 };
	const uint32_t loose[] = { 1, 0 };
	struct img_err err = { 0 };

	assert_int_equal(add(store, "one", &err), 0);
	assert_int_equal(named_volume_find(store, "one", &named, &err), 0);
	run_sql(store, "UPDATE volumes SET size_bytes = 67108864");
	assert_int_equal(named_volume_resize(store, &named, UINT64_C(32) << 20,
					     &err),
			 -IMG_E_INPUT); /* smaller by now */
	assert_int_equal(image_examine(store, &found, &err), 0);
	assert_int_equal(found.n, 0);
	temp_store_check(t, store, loose, NULL);
	assert_int_equal(named_volume_remove(store, &named, &err), 0);
	err = (struct img_err){ 0 };
	assert_true(named_volume_resize(store, &named, UINT64_C(128) << 20,
					&err) < 0);
	temp_store_check(t, store, NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		test_in_store(a_name_is_taken_once),
		test_in_store(one_that_a_container_has_stays),
		test_in_store(a_late_resize_leaves_no_record),
		test_in_store(what_only_the_ledger_knows_comes_back),
		test_in_store(of_two_with_a_name_both_come_back),
		test_in_store(catalog_and_ledger_are_held_against_each_other),
		test_of_crash(adding),
		test_of_crash(removing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
