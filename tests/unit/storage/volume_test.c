#include "storage/volume.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/num.h"
#include "storage/store_impl.h"
#include "storage/volume_impl.h"
#include "tests/lib/temp_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static void new_ids_follow_the_highest(void **state)
{
	img_auto(store_close) struct store *store = temp_store_open(*state);

	assert_int_equal(temp_store_add_volume(store), 1);
	assert_int_equal(temp_store_add_volume(store), 2);
}

static void run_sql(struct store *store, const char *sql)
{
	struct img_err err = { 0 };

	if (db_run(store_db(store), &err, sql, "") < 0)
		fail_msg("%s", err.msg);
}

static void gaps_are_used_when_the_ids_end(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);

	(void)temp_store_add_volume(store);
	run_sql(store, "INSERT INTO volumes (id, size_bytes)"
		       " VALUES (16777215, 1), (2, 1), (4, 1)");
	assert_int_equal(temp_store_add_volume(store), 3);
	assert_int_equal(temp_store_add_volume(store), 5);
}

static void a_gap_before_the_first_id_is_used_too(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);

	run_sql(store, "INSERT INTO volumes (id, size_bytes)"
		       " VALUES (16777214, 1), (16777215, 1)");
	assert_int_equal(temp_store_add_volume(store), 1);
}

/* What has our id and no row is nobody's. */
static void an_id_that_is_taken_is_taken_over(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	struct img_err err = { 0 };
	uint32_t loose[] = { 1, 0 };

	assert_int_equal(store_need_pool(store, &err), 0);
	fake_dm_add_thin(t->fake, 1);
	assert_int_equal(temp_store_add_volume(store), 1);
	temp_store_check(t, store, loose, NULL);
}

static void an_unknown_volume(void **state)
{
	img_auto(store_close) struct store *store = temp_store_open(*state);
	struct volume_pending gone = { 0 };
	struct volume volume;
	struct img_err err = { 0 };

	assert_int_equal(volume_find(store, 9, &volume, &err),
			 -IMG_E_NOT_FOUND);
	assert_string_equal(err.msg, "there is no volume 9");
	err = (struct img_err){ 0 };
	assert_int_equal(volume_begin_delete(store, 9, &gone, &err),
			 -IMG_E_NOT_FOUND);
	assert_null(gone.store);
}

static void a_snapshot_of_nothing_leaves_nothing(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	const struct volume origin = { .id = 33, .size_bytes = MIB };
	struct volume_pending new = { 0 };
	struct img_err err = { 0 };

	assert_int_equal(volume_snapshot(store, &origin, &new, &err),
			 -IMG_E_NOT_FOUND);
	assert_string_equal(err.msg, "what was to be copied was removed, or "
				     "rolled back, meanwhile");
	assert_null(new.store);
	temp_store_check(t, store, NULL, NULL);
}

static void what_is_not_kept_goes(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	struct img_err err = { 0 };
	char node[VOLUME_NODE_MAX];

	{
		img_auto(volume_pending_release) struct volume_pending new = {
			0
		};

		assert_int_equal(volume_create(store, MIB, &new, &err), 0);
		assert_int_equal(
			volume_activate(store, &new.volume, node, &err), 0);
		assert_true(fake_dm_has_thin(t->fake, new.volume.id));
	}
	temp_store_check(t, store, NULL, NULL);
}

static void a_device_is_made_once(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	const uint32_t id = temp_store_add_volume(store);
	char node[VOLUME_NODE_MAX], again[VOLUME_NODE_MAX];
	struct volume volume;
	struct img_err err = { 0 };

	assert_int_equal(volume_find(store, id, &volume, &err), 0);
	assert_int_equal(volume_activate(store, &volume, node, &err), 0);
	assert_int_equal(volume_activate(store, &volume, again, &err), 0);
	assert_string_equal(node, again);
	assert_int_equal(fake_dm_find(t->fake, "1")->len_sectors,
			 64 * MIB / 512);
	assert_int_equal(volume_deactivate(store, &volume, &err), 0);
	assert_int_equal(volume_deactivate(store, &volume, &err), 0);
	assert_null(fake_dm_find(t->fake, "1"));
}

/* Somebody died in the middle of making or of copying it. */
static void a_device_left_behind_is_made_good(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	const uint32_t id = temp_store_add_volume(store);
	char node[VOLUME_NODE_MAX];
	struct fake_device *device;
	struct volume volume;
	struct img_err err = { 0 };

	assert_int_equal(volume_find(store, id, &volume, &err), 0);
	assert_int_equal(volume_activate(store, &volume, node, &err), 0);
	device = fake_dm_find(t->fake, "1");
	device->suspended = true;
	assert_int_equal(volume_activate(store, &volume, node, &err), 0);
	assert_false(device->suspended);
	device->target[0] = '\0'; /* created, never loaded */
	assert_int_equal(volume_activate(store, &volume, node, &err), 0);
	assert_string_equal(fake_dm_find(t->fake, "1")->target, "thin");
	fake_dm_check(t->fake);
}

static void a_busy_device_is_waited_for(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	const uint32_t id = temp_store_add_volume(store);
	char node[VOLUME_NODE_MAX];
	struct volume volume;
	struct img_err err = { 0 };

	assert_int_equal(volume_find(store, id, &volume, &err), 0);
	assert_int_equal(volume_activate(store, &volume, node, &err), 0);
	t->fake->busy_removals = 3;
	assert_int_equal(volume_deactivate(store, &volume, &err), 0);
	assert_null(fake_dm_find(t->fake, "1"));
	assert_int_equal(t->fake->busy_removals, 0);
}

static void begin_delete(struct store *store, uint32_t id, int expected,
			 struct volume_pending *ret)
{
	struct img_err err = { 0 };

	assert_int_equal(volume_begin_delete(store, id, ret, &err), expected);
	if (expected < 0)
		assert_string_equal(err.msg, "another process is using it");
}

/* Another opening of the store stands for another process. */
static void a_volume_is_held_by_one_only(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *ours = temp_store_open(t);
	img_auto(store_close) struct store *theirs = temp_store_open(t);
	const uint32_t id = temp_store_add_volume(ours);
	struct volume_pending run = { 0 }, none = { 0 }, gone = { 0 };
	struct volume volume;
	struct img_err err = { 0 };

	assert_int_equal(volume_find(ours, id, &volume, &err), 0);
	assert_int_equal(volume_is_held(theirs, id, &err), 0);
	assert_int_equal(volume_begin_run(ours, &volume, &run, &err), 0);
	assert_int_equal(volume_is_held(theirs, id, &err), 1);
	begin_delete(theirs, id, -IMG_E_BUSY, &none);
	assert_null(none.store);
	assert_int_equal(volume_begin_run(theirs, &volume, &none, &err),
			 -IMG_E_BUSY);
	assert_int_equal(volume_settle(&run, &(struct img_err){ 0 }), 0);
	volume_keep(&run);
	assert_int_equal(volume_is_held(theirs, id, &err), 0);
	begin_delete(theirs, id, 0, &gone);
	volume_pending_release(&gone);
	temp_store_check(t, ours, NULL, NULL);
}

/* A running container's guard lets go of the volume, but keeps it. */
static void what_ran_is_kept(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	uint32_t loose[] = { 1, 0 };
	struct img_err err = { 0 };

	{
		img_auto(volume_pending_release) struct volume_pending new = {
			0
		};

		assert_int_equal(volume_create(store, MIB, &new, &err), 0);
		assert_int_equal(volume_settle_running(&new, &err), 0);
		volume_keep_running(&new);
	}
	/* Its intent is now a dead one; the next command ends it. */
	store_close(&store);
	store = temp_store_open(t);
	temp_store_check(t, store, loose, NULL);
}

static void a_run_can_end_in_removal(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	struct volume_pending run = { 0 };
	struct volume volume;
	struct img_err err = { 0 };

	assert_int_equal(volume_find(store, temp_store_add_volume(store),
				     &volume, &err),
			 0);
	assert_int_equal(volume_begin_run(store, &volume, &run, &err), 0);
	assert_int_equal(volume_turn_delete(&run, &err), 0);
	assert_int_equal(volume_finish_delete(&run, &err), 0);
	temp_store_check(t, store, NULL, NULL);
}

static void a_copy_of_what_is_going_is_refused(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *ours = temp_store_open(t);
	img_auto(store_close) struct store *theirs = temp_store_open(t);
	struct volume_pending gone = { 0 }, new = { 0 };
	struct img_err err = { 0 };
	struct volume volume;

	assert_int_equal(volume_find(ours, temp_store_add_volume(ours), &volume,
				     &err),
			 0);
	begin_delete(theirs, volume.id, 0, &gone);
	assert_int_equal(volume_snapshot(ours, &volume, &new, &err),
			 -IMG_E_NOT_FOUND);
	assert_string_equal(err.msg, "what was to be copied was removed, or "
				     "rolled back, meanwhile");
	assert_null(new.store);
	assert_int_equal(volume_finish_delete(&gone, &err), 0);
	temp_store_check(t, ours, NULL, NULL);
}

/* Holds a volume's lock as who takes a snapshot does, until some time after
 * it was told so; then it says when that was. */
static pid_t hold_lock(struct temp_store *t, uint32_t id, int told, int tell)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct store *store = temp_store_open(t);
		struct lock lock = { .fd = -1 };
		struct img_err err = { 0 };
		struct timespec while_ = { .tv_nsec = 200000000 };
		bool good = volume_lock(store, id, &lock, &err) == 0 &&
			    write(tell, "", 1) == 1;
		int64_t end;
		char c;

		good = good && read(told, &c, 1) == 1;
		(void)nanosleep(&while_, NULL);
		end = clock_steady_us();
		good = good && write(tell, &end, sizeof(end)) == sizeof(end);
		_exit(good ? 0 : 1);
	}
	return pid;
}

static void a_volume_goes_after_its_last_copy(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	struct volume_pending gone = { 0 };
	uint32_t id = temp_store_add_volume(store);
	struct img_err err = { 0 };
	int told[2], tell[2], status;
	int64_t end = 0, after;
	pid_t pid;
	char c;

	assert_int_equal(pipe(told), 0);
	assert_int_equal(pipe(tell), 0);
	pid = hold_lock(t, id, told[0], tell[1]);
	assert_int_equal(read(tell[0], &c, 1), 1);
	begin_delete(store, id, 0, &gone);
	assert_int_equal(write(told[1], "", 1), 1);
	assert_int_equal(volume_finish_delete(&gone, &err), 0);
	after = clock_steady_us();
	assert_int_equal(read(tell[0], &end, sizeof(end)), sizeof(end));
	assert_true(after >= end);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	temp_store_check(t, store, NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_store(new_ids_follow_the_highest),
		test_in_store(gaps_are_used_when_the_ids_end),
		test_in_store(a_gap_before_the_first_id_is_used_too),
		test_in_store(an_id_that_is_taken_is_taken_over),
		test_in_store(an_unknown_volume),
		test_in_store(a_snapshot_of_nothing_leaves_nothing),
		test_in_store(what_is_not_kept_goes),
		test_in_store(a_device_is_made_once),
		test_in_store(a_device_left_behind_is_made_good),
		test_in_store(a_busy_device_is_waited_for),
		test_in_store(a_volume_is_held_by_one_only),
		test_in_store(what_ran_is_kept),
		test_in_store(a_run_can_end_in_removal),
		test_in_store(a_copy_of_what_is_going_is_refused),
		test_in_store(a_volume_goes_after_its_last_copy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
