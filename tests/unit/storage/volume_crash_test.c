#include "storage/volume.h"

#include "base/cleanup.h"
#include "tests/lib/crash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/*
 * Volumes are made, copied, used and removed, and at every step of that
 * something fails or the process dies.
 */

static int keep(struct volume_pending *new, struct img_err *err)
{
	struct db *db = store_db(new->store);
	img_auto(db_txn_release) struct db *txn = NULL;
	int r = db_begin(db, false, err);

	if (r < 0)
		return r;
	txn = db;
	r = volume_settle(new, err);
	if (r == 0)
		r = db_commit(db, err);
	if (r == 0)
		volume_keep(new);
	return r;
}

static void prepare_nothing(struct crash_case *c, struct store *store)
{
}

/* A volume that is active or not, with something on it. */
static void write_mark(struct store *store, const struct volume *volume)
{
	struct img_err err = { 0 };
	char node[VOLUME_NODE_MAX];
	FILE *f;

	assert_int_equal(volume_activate(store, volume, node, &err), 0);
	f = fopen(node, "r+e");
	assert_non_null(f);
	assert_true(fputs("marked", f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void prepare_active(struct crash_case *c, struct store *store)
{
	struct volume volume;
	struct img_err err = { 0 };

	c->volume[0] = temp_store_add_volume(store);
	assert_int_equal(volume_find(store, c->volume[0], &volume, &err), 0);
	write_mark(store, &volume);
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

	return r < 0 ? r : keep(&new, err);
}

/* Volumes of the catalog beside what was prepared. */
static uint32_t newest(struct store *store)
{
	return (uint32_t)temp_store_count(store, "SELECT max(id) FROM volumes");
}

static void check_create(struct crash_case *c, struct store *store,
			 enum crash_end end)
{
	uint32_t loose[2] = { newest(store), 0 };

	temp_store_check(c->t, store, loose, NULL);
	if (end != CRASH_DIED)
		assert_int_equal(loose[0] != 0, end == CRASH_DONE);
}

static void creating(void **state)
{
	const struct crash_test test = { prepare_nothing, run_create,
					 check_create, NULL };

	(void)crash_at_every_step(&test, FAULT_FAIL);
	(void)crash_at_every_step(&test, FAULT_KILL);
}

static int run_snapshot(struct crash_case *c, struct store *store,
			struct img_err *err)
{
	img_auto(volume_pending_release) struct volume_pending new = { 0 };
	struct volume origin;
	int r = volume_find(store, c->volume[0], &origin, err);

	if (r == 0)
		r = volume_snapshot(store, &origin, &new, err);
	return r < 0 ? r : keep(&new, err);
}

static void check_mark(struct crash_case *c, uint32_t id)
{
	char path[80], text[7] = "";
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/thin-%u", c->t->thins, id);
	f = fopen(path, "re");
	assert_non_null(f);
	assert_int_equal(fread(text, 1, 6, f), 6);
	assert_string_equal(text, "marked");
	assert_int_equal(fclose(f), 0);
}

static void check_snapshot(struct crash_case *c, struct store *store,
			   enum crash_end end)
{
	uint32_t origin = c->volume[0], last = newest(store);
	uint32_t loose[3] = { origin, last == origin ? 0 : last, 0 };

	temp_store_check(c->t, store, loose, loose);
	check_mark(c, origin);
	check_mark(c, last);
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

	(void)crash_at_every_step(&test, FAULT_FAIL);
	(void)crash_at_every_step(&test, FAULT_KILL);
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

	(void)crash_at_every_step(&test, FAULT_FAIL);
	(void)crash_at_every_step(&test, FAULT_KILL);
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
	uint32_t loose[2] = { newest(store), 0 };

	/* A failure after the intent was written is made up for. */
	temp_store_check(c->t, store, loose, loose);
	if (end == CRASH_DONE)
		assert_int_equal(loose[0], 0);
}

static void deleting_an_inactive_volume(void **state)
{
	const struct crash_test test = { prepare_inactive, run_delete,
					 check_delete, NULL };

	(void)crash_at_every_step(&test, FAULT_FAIL);
	(void)crash_at_every_step(&test, FAULT_KILL);
}

static void deleting_an_active_volume(void **state)
{
	const struct crash_test test = { prepare_active, run_delete,
					 check_delete, NULL };

	(void)crash_at_every_step(&test, FAULT_FAIL);
	(void)crash_at_every_step(&test, FAULT_KILL);
}

/* A container from its snapshot to its end, as `img run` does it. */
static int run_run(struct crash_case *c, struct store *store,
		   struct img_err *err)
{
	img_auto(volume_pending_release) struct volume_pending new = { 0 };
	struct db *db = store_db(store);
	struct volume origin;
	char node[VOLUME_NODE_MAX];
	int r = volume_find(store, c->volume[0], &origin, err);

	if (r == 0)
		r = volume_snapshot(store, &origin, &new, err);
	if (r == 0)
		r = db_begin(db, false, err);
	if (r == 0)
		r = volume_settle_running(&new, err);
	if (r == 0)
		r = db_commit(db, err);
	if (r < 0)
		return r;
	volume_keep_running(&new);
	r = volume_activate(store, &new.volume, node, err);
	if (r == 0)
		r = volume_deactivate(store, &new.volume, err);
	return r < 0 ? r : keep(&new, err);
}

static void check_run(struct crash_case *c, struct store *store,
		      enum crash_end end)
{
	uint32_t origin = c->volume[0], last = newest(store);
	uint32_t loose[3] = { origin, last == origin ? 0 : last, 0 };

	temp_store_check(c->t, store, loose, NULL);
	if (end == CRASH_DONE)
		assert_true(last != origin);
}

static void running(void **state)
{
	const struct crash_test test = { prepare_inactive, run_run, check_run,
					 NULL };

	(void)crash_at_every_step(&test, FAULT_FAIL);
	(void)crash_at_every_step(&test, FAULT_KILL);
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
