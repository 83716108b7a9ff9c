#include "cli/container.h"

#include "base/cleanup.h"
#include "cli/snapshots.h"
#include "tests/lib/made_container.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/*
 * Which removals a power cut must not undo: what is discarded for them would be
 * missing from what came back.
 */

static void assert_removed(struct store *store, const char *name)
{
	img_auto(container_row_release) struct container_row row = { 0 };
	struct img_err err = { 0 };

	made_container_find(store, name, &row);
	if (container_remove(store, &row, NULL, true, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(container_find(store, name, &row, &err),
			 -IMG_E_NOT_FOUND);
}

static void one_that_could_be_used_again(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);

	(void)made_container(store, 'a', "web");
	t->fake->went_for_good = false;
	assert_removed(store, "web");
	assert_true(t->fake->went_for_good);
}

/* @config: with or without volumes; @first_run_ns: 0 where it was made by
 * create.  It runs, by this process, and ends. */
static void run_once(struct store *store, const char *name, const char *config,
		     int64_t first_run_ns)
{
	struct container_row row = made_container_row(store, *name, name);
	struct volume_pending run = { 0 };
	struct img_err err = { 0 };

	row.config = (char *)(uintptr_t)config;
	row.auto_remove = true;
	row.started_ns = first_run_ns;
	assert_int_equal(container_insert(store, &row, &err), 0);
	if (volume_begin_run(store, &row.volume, &run, &err) < 0 ||
	    container_remove(store, &row, &run, true, &err) < 0)
		fail_msg("%s", err.msg);
}

/* Whatever comes back runs, so it would be removed again. */
static void one_that_ran_from_the_start(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);

	t->fake->went_for_good = true;
	run_once(store, "web", "{}", 'w');
	assert_false(t->fake->went_for_good);
}

/* It could come back as it was before. */
static void one_that_was_started_later(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);

	t->fake->went_for_good = false;
	run_once(store, "web", "{}", 0);
	assert_true(t->fake->went_for_good);
}

/* They are on record for themselves. */
static void one_with_volumes_of_its_own(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);

	t->fake->went_for_good = false;
	run_once(store, "web",
		 "{\"HostConfig\":{\"Mounts\":[{\"Anonymous\":true,"
		 "\"Source\":\"x\",\"Target\":\"/x\",\"Type\":\"volume\"}]}}",
		 'w');
	assert_true(t->fake->went_for_good);
}

static void a_snapshot(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	struct container_row row = made_container(store, 'a', "web");
	struct snapshot_row snapshot = { .name = "before" };
	struct img_err err = { 0 };

	assert_int_equal(snapshot_take(store, &row, &snapshot, &err), 0);
	t->fake->went_for_good = false;
	assert_int_equal(snapshot_remove(store, &row, "before", &err), 0);
	assert_true(t->fake->went_for_good);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_store(one_that_could_be_used_again),
		test_in_store(one_that_ran_from_the_start),
		test_in_store(one_that_was_started_later),
		test_in_store(one_with_volumes_of_its_own),
		test_in_store(a_snapshot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
