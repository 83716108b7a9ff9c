#include "storage/volume.h"

#include "base/cleanup.h"
#include "tests/lib/crash_volume.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/*
 * Volumes are made, copied, used and removed, and at every step of that
 * something fails or the process dies.
 */

static void prepare_nothing(struct crash_case *c, struct store *store)
{
}

/* A volume that is active or not, with something on it. */
static void prepare_active(struct crash_case *c, struct store *store)
{
	struct volume volume;
	struct img_err err = { 0 };

	c->volume[0] = temp_store_add_volume(store);
	assert_int_equal(volume_find(store, c->volume[0], &volume, &err), 0);
	crash_volume_mark(store, &volume, "marked");
}

static void prepare_inactive(struct crash_case *c, struct store *store)
{
	struct volume volume;
	struct img_err err = { 0 };

	prepare_active(c, store);
	assert_int_equal(volume_find(store, c->volume[0], &volume, &err), 0);
	assert_int_equal(volume_deactivate(store, &volume, &err), 0);
}

static int run_create(struct crash_case *c, struct store *store,
		      struct img_err *err)
{
	img_auto(volume_pending_release) struct volume_pending new = { 0 };
	int r = volume_create(store, 64 << 20, &new, err);

	return r < 0 ? r : crash_volume_keep(&new, err);
}

static void check_create(struct crash_case *c, struct store *store,
			 enum crash_end end)
{
	uint32_t loose[2] = { crash_volume_newest(store), 0 };

	temp_store_check(c->t, store, loose, NULL);
	if (end != CRASH_DIED)
		assert_int_equal(loose[0] != 0, end == CRASH_DONE);
}

static void creating(void **state)
{
	const struct crash_test test = { prepare_nothing, run_create,
					 check_create, NULL };

	crash_every_way(&test);
}

static int run_snapshot(struct crash_case *c, struct store *store,
			struct img_err *err)
{
	img_auto(volume_pending_release) struct volume_pending new = { 0 };
	struct volume origin;
	int r = volume_find(store, c->volume[0], &origin, err);

	if (r == 0)
		r = volume_snapshot(store, &origin, &new, err);
	return r < 0 ? r : crash_volume_keep(&new, err);
}

static void check_snapshot(struct crash_case *c, struct store *store,
			   enum crash_end end)
{
	uint32_t origin = c->volume[0], last = crash_volume_newest(store);
	uint32_t loose[3] = { origin, last == origin ? 0 : last, 0 };

	temp_store_check(c->t, store, loose, loose);
	assert_true(crash_volume_has_mark(c, origin, "marked"));
	assert_true(crash_volume_has_mark(c, last, "marked"));
	/* The snapshot was never active. */
	if (last != origin)
		assert_true(fake_dm_has_thin(c->t->fake, last));
	if (end != CRASH_DIED)
		assert_int_equal(last != origin, end == CRASH_DONE);
}

static void snapshot_of_an_inactive_volume(void **state)
{
	const struct crash_test test = { prepare_inactive, run_snapshot,
					 check_snapshot, NULL };

	crash_every_way(&test);
}

static void check_snapshot_of_active(struct crash_case *c, struct store *store,
				     enum crash_end end)
{
	check_snapshot(c, store, end);
	assert_non_null(fake_dm_find(c->t->fake, "1"));
	if (end == CRASH_DONE)
		assert_int_equal(c->t->fake->suspends, 1);
}

static void snapshot_of_an_active_volume(void **state)
{
	const struct crash_test test = { prepare_active, run_snapshot,
					 check_snapshot_of_active, NULL };

	crash_every_way(&test);
}

static int run_delete(struct crash_case *c, struct store *store,
		      struct img_err *err)
{
	struct db *db = store_db(store);
	struct volume_pending gone = { 0 };
	int r = db_begin(db, false, err);

	if (r < 0)
		return r;
	r = volume_begin_delete(store, c->volume[0], &gone, err);
	if (r == 0)
		r = db_commit(db, err);
	if (r < 0) {
		db_rollback(db);
		if (gone.store)
			volume_keep(&gone);
		return r;
	}
	return volume_finish_delete(&gone, err);
}

static void check_delete(struct crash_case *c, struct store *store,
			 enum crash_end end)
{
	uint32_t loose[2] = { crash_volume_newest(store), 0 };

	/* A failure after the intent was written is made up for. */
	temp_store_check(c->t, store, loose, loose);
	if (end == CRASH_DONE)
		assert_int_equal(loose[0], 0);
}

static void deleting_an_inactive_volume(void **state)
{
	const struct crash_test test = { prepare_inactive, run_delete,
					 check_delete, NULL };

	crash_every_way(&test);
}

static void deleting_an_active_volume(void **state)
{
	const struct crash_test test = { prepare_active, run_delete,
					 check_delete, NULL };

	crash_every_way(&test);
}

static void check_run(struct crash_case *c, struct store *store,
		      enum crash_end end)
{
	uint32_t origin = c->volume[0], last = crash_volume_newest(store);
	uint32_t loose[3] = { origin, last == origin ? 0 : last, 0 };

	temp_store_check(c->t, store, loose, NULL);
	if (end == CRASH_DONE)
		assert_true(last != origin);
}

static void running(void **state)
{
	const struct crash_test test = { prepare_inactive, crash_volume_run,
					 check_run, NULL };

	crash_every_way(&test);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_of_crash(creating),
		test_of_crash(snapshot_of_an_inactive_volume),
		test_of_crash(snapshot_of_an_active_volume),
		test_of_crash(deleting_an_inactive_volume),
		test_of_crash(deleting_an_active_volume),
		test_of_crash(running),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
