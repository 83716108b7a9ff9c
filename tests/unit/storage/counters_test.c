#include "storage/capacity.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "storage/store_impl.h"
#include "storage/volume.h"
#include "tests/lib/temp_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/*
 * dm-thin's counters of 24 bits: the pool's time, which ends, and the volumes'
 * ids, which come back.
 */

/* The kernel writes its time with the next commit. */
static void set_time(struct temp_store *t, struct store *store, uint64_t time)
{
	struct dm_name name;
	struct img_err err = { 0 };

	store_device_name(store, "pool", &name);
	t->fake->time = (uint32_t)time;
	if (store_need_pool(store, &err) < 0 ||
	    store->dm.ops->message(store->dm.self, &name,
				   "reserve_metadata_snap", &err) < 0 ||
	    store->dm.ops->message(store->dm.self, &name,
				   "release_metadata_snap", &err) < 0)
		fail_msg("%s", err.msg);
}

static int create(struct store *store, struct img_err *err)
{
	img_auto(volume_pending_release) struct volume_pending new = { 0 };

	return volume_create(store, store_volume_bytes(store), &new, err);
}

static void creates(struct store *store)
{
	struct img_err err = { 0 };

	if (create(store, &err) < 0)
		fail_msg("%s", err.msg);
}

static void the_time_is_told_and_ends(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	struct volume_pending gone = { 0 };
	struct capacity_status status;
	struct img_err err = { 0 };
	uint32_t volume = temp_store_add_volume(store);

	set_time(t, store, CAPACITY_COUNTER_REFUSE - 1);
	assert_int_equal(capacity_status(store, &status, &err), 0);
	assert_int_equal(status.time, CAPACITY_COUNTER_REFUSE - 1);
	creates(store);
	set_time(t, store, CAPACITY_COUNTER_REFUSE);
	assert_int_equal(create(store, &err), -IMG_E_NO_SPACE);
	assert_non_null(strstr(err.msg, "the pool has counted 15938340 "
					"snapshots of the 16777215"));
	assert_non_null(strstr(err.msg, "'img export'"));
	/* What is there can go. */
	err = (struct img_err){ 0 };
	assert_int_equal(db_begin(store_db(store), false, &err), 0);
	assert_int_equal(volume_begin_delete(store, volume, &gone, &err), 0);
	assert_int_equal(db_commit(store_db(store), &err), 0);
	assert_int_equal(volume_finish_delete(&gone, &err), 0);
	temp_store_check(t, store, NULL, NULL);
}

static void run_sql(struct store *store, const char *sql)
{
	struct img_err err = { 0 };

	if (db_run(store_db(store), &err, sql, "") < 0)
		fail_msg("%s", err.msg);
}

/* Ids that were given are no ids that are taken. */
static void ids_are_given_again(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	struct capacity_status status;
	struct img_err err = { 0 };

	(void)temp_store_add_volume(store);
	run_sql(store, "UPDATE sqlite_sequence SET seq = 16777215"
		       " WHERE name = 'volumes'");
	assert_int_equal(capacity_status(store, &status, &err), 0);
	assert_int_equal(status.volume_id, 16777215);
	assert_int_equal(temp_store_add_volume(store), 2);
	/* With as many volumes as that nothing is made. */
	run_sql(store,
		"CREATE TEMP VIEW volumes AS WITH RECURSIVE n(x) AS"
		" (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 4000)"
		" SELECT a.x AS id, 1 AS size_bytes, NULL AS origin,"
		" NULL AS fs_bytes FROM n a, n b");
	assert_int_equal(create(store, &err), -IMG_E_NO_SPACE);
	assert_string_equal(err.msg, "the pool has 16000000 volumes, of "
				     "16777215 that it can have");
	run_sql(store, "DROP VIEW temp.volumes");
	creates(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_store(the_time_is_told_and_ends),
		test_in_store(ids_are_given_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
