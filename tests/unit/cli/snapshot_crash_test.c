#include "cli/snapshots.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "tests/lib/crash_volume.h"
#include "tests/lib/made_container.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/*
 * Snapshots of a container come, are returned to, and go with it or alone, and
 * at every step of that something fails or the process dies.
 */

static void set_options(struct temp_store *t)
{
	t->options.run_ended = container_run_ended;
	t->options.vanished = container_vanished;
	t->options.swept = container_dirs_sweep;
}

static void write_mark(struct store *store, const struct volume *volume,
		       const char *mark)
{
	struct img_err err = { 0 };

	crash_volume_mark(store, volume, mark);
	assert_int_equal(volume_deactivate(store, volume, &err), 0);
}

static void add_container(struct store *store, bool auto_remove)
{
	struct container_row row = made_container_row(store, 'a', "web");
	struct img_err err = { 0 };

	row.config = (char *)(uintptr_t) "{\"Cmd\":[\"sh\"]}";
	row.auto_remove = auto_remove;
	if (container_insert(store, &row, &err) < 0)
		fail_msg("%s", err.msg);
	write_mark(store, &row.volume, "before");
}

/* The container, for as long as the test holds it. */
static int find(struct store *store, struct container_row *ret,
		struct img_err *err)
{
	return container_find(store, "web", ret, err);
}

static void take(struct store *store, const char *name)
{
	img_auto(container_row_release) struct container_row web = { 0 };
	struct snapshot_row row = { 0 };
	struct img_err err = { 0 };

	(void)snprintf(row.name, sizeof(row.name), "%s", name);
	if (find(store, &web, &err) < 0 ||
	    snapshot_take(store, &web, &row, &err) < 0)
		fail_msg("%s", err.msg);
}

/* A container that was marked "before", has a snapshot of that, and was marked
 * "latter" since. */
static void prepare(struct crash_case *c, struct store *store)
{
	img_auto(container_row_release) struct container_row web = { 0 };
	struct img_err err = { 0 };

	set_options(c->t);
	add_container(store, false);
	take(store, "first");
	assert_int_equal(find(store, &web, &err), 0);
	write_mark(store, &web.volume, "latter");
}

static int64_t count(struct store *store, const char *table)
{
	img_auto(img_mem_release) char *sql =
		mem_printf("SELECT count(*) FROM %s", table);

	return temp_store_count(store, sql);
}

static int run_take(struct crash_case *c, struct store *store,
		    struct img_err *err)
{
	img_auto(container_row_release) struct container_row web = { 0 };
	struct snapshot_row row = { 0 };
	int r = find(store, &web, err);

	return r < 0 ? r : snapshot_take(store, &web, &row, err);
}

static void check_take(struct crash_case *c, struct store *store,
		       enum crash_end end)
{
	img_auto(container_row_release) struct container_row web = { 0 };
	struct snapshot_row row;
	struct img_err err = { 0 };
	int r;

	crash_volume_check_owned(c, store);
	assert_int_equal(find(store, &web, &err), 0);
	assert_true(crash_volume_has_mark(c, web.volume.id, "latter"));
	r = snapshot_find(store, &web, "snap0", &row, &err);
	if (r == 0)
		assert_true(crash_volume_has_mark(c, row.volume.id, "latter"));
	if (end != CRASH_DIED)
		assert_int_equal(r == 0, end == CRASH_DONE);
	assert_int_equal(snapshot_find(store, &web, "first", &row, &err), 0);
	assert_true(crash_volume_has_mark(c, row.volume.id, "before"));
}

static void taking_a_snapshot(void **state)
{
	const struct crash_test test = { prepare, run_take, check_take, NULL };

	crash_every_way(&test);
}

static int run_rollback(struct crash_case *c, struct store *store,
			struct img_err *err)
{
	img_auto(container_row_release) struct container_row web = { 0 };
	int r = find(store, &web, err);

	return r < 0 ? r : snapshot_roll_back(store, &web, "first", err);
}

static void check_rollback(struct crash_case *c, struct store *store,
			   enum crash_end end)
{
	img_auto(container_row_release) struct container_row web = { 0 };
	struct snapshot_row row;
	struct img_err err = { 0 };
	bool is_back;

	crash_volume_check_owned(c, store);
	assert_int_equal(count(store, "volumes"), 2);
	assert_int_equal(find(store, &web, &err), 0);
	is_back = web.volume.id != 1;
	assert_true(crash_volume_has_mark(c, web.volume.id,
					  is_back ? "before" : "latter"));
	if (end != CRASH_DIED)
		assert_int_equal(is_back, end == CRASH_DONE);
	assert_int_equal(snapshot_find(store, &web, "first", &row, &err), 0);
	assert_true(crash_volume_has_mark(c, row.volume.id, "before"));
}

static void rolling_back(void **state)
{
	const struct crash_test test = { prepare, run_rollback, check_rollback,
					 NULL };

	crash_every_way(&test);
}

static int run_remove(struct crash_case *c, struct store *store,
		      struct img_err *err)
{
	img_auto(container_row_release) struct container_row web = { 0 };
	int r = find(store, &web, err);

	return r < 0 ? r : snapshot_remove(store, &web, "first", err);
}

static void check_remove(struct crash_case *c, struct store *store,
			 enum crash_end end)
{
	crash_volume_check_owned(c, store);
	/* A failure after the rows went is made up for. */
	assert_int_equal(count(store, "volumes"),
			 1 + count(store, "snapshots"));
	if (end == CRASH_DONE)
		assert_int_equal(count(store, "snapshots"), 0);
}

static void removing_a_snapshot(void **state)
{
	const struct crash_test test = { prepare, run_remove, check_remove,
					 NULL };

	crash_every_way(&test);
}

static void prepare_two(struct crash_case *c, struct store *store)
{
	prepare(c, store);
	take(store, "second");
}

/* As `img rm` does it. */
static int run_remove_all(struct crash_case *c, struct store *store,
			  struct img_err *err)
{
	img_auto(volume_pending_release) struct volume_pending gone = { 0 };
	img_auto(
		snapshots_gone_release) struct snapshots_gone snapshots = { 0 };
	img_auto(container_row_release) struct container_row web = { 0 };
	struct db *db = store_db(store);
	int r = find(store, &web, err);

	if (r == 0)
		r = db_begin(db, false, err);
	if (r < 0)
		return r;
	r = snapshots_begin_delete(store, &web, &snapshots, err);
	if (r == 0)
		r = container_delete(store, &web, err);
	if (r == 0)
		r = volume_begin_delete(store, web.volume.id, &gone, err);
	if (r == 0)
		r = db_commit(db, err);
	if (r < 0) {
		db_rollback(db);
		snapshots_gone_release(&snapshots);
		if (gone.store)
			volume_keep(&gone);
		return r;
	}
	r = snapshots_finish_delete(&snapshots, err);
	return r < 0 ? r : volume_finish_delete(&gone, err);
}

static void check_all_or_none(struct crash_case *c, struct store *store,
			      enum crash_end end)
{
	int64_t containers = count(store, "containers");

	crash_volume_check_owned(c, store);
	assert_int_equal(count(store, "snapshots"), 2 * containers);
	assert_int_equal(count(store, "volumes"), 3 * containers);
	if (end == CRASH_DONE)
		assert_int_equal(containers, 0);
}

static void removing_a_container_with_its_snapshots(void **state)
{
	const struct crash_test test = { prepare_two, run_remove_all,
					 check_all_or_none, NULL };

	crash_every_way(&test);
}

static int run_clone(struct crash_case *c, struct store *store,
		     struct img_err *err)
{
	img_auto(container_row_release) struct container_row web = { 0 };
	struct id id;
	int r = find(store, &web, err);

	return r < 0 ? r : container_clone(store, &web, "copy", &id, err);
}

static void check_clone(struct crash_case *c, struct store *store,
			enum crash_end end)
{
	img_auto(container_row_release) struct container_row copy = { 0 };
	struct img_err err = { 0 };
	int r = container_find(store, "copy", &copy, &err);

	crash_volume_check_owned(c, store);
	if (end != CRASH_DIED)
		assert_int_equal(r == 0, end == CRASH_DONE);
	if (r < 0)
		return;
	assert_true(crash_volume_has_mark(c, copy.volume.id, "latter"));
	assert_string_equal(copy.config, "{\"Cmd\":[\"sh\"]}");
	assert_string_equal(copy.image_name, "debian");
	assert_int_equal(copy.started_ns, 0);
}

static void cloning(void **state)
{
	const struct crash_test test = { prepare, run_clone, check_clone,
					 NULL };

	crash_every_way(&test);
}

/* A supervisor is killed whose container was to go, with its snapshots. */
static void prepare_dead(struct crash_case *c)
{
	pid_t pid;
	int status;

	set_options(c->t);
	(void)fflush(NULL); /* or the child would print it again */
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		img_auto(
			container_row_release) struct container_row web = { 0 };
		struct store *store = temp_store_open(c->t);
		struct volume_pending run = { 0 };
		struct img_err err = { 0 };

		add_container(store, true);
		take(store, "first");
		take(store, "second");
		if (find(store, &web, &err) < 0 ||
		    volume_begin_run(store, &web.volume, &run, &err) < 0)
			_exit(1);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* What cannot be done now is done by the next open: it says nothing. */
static int run_open(struct crash_case *c, struct store *none,
		    struct img_err *err)
{
	img_auto(store_close) struct store *store = NULL;

	return store_open(&c->t->options, &store, err);
}

static void check_gone(struct crash_case *c, struct store *store,
		       enum crash_end end)
{
	assert_int_equal(count(store, "containers"), 0);
	assert_int_equal(count(store, "snapshots"), 0);
	assert_int_equal(count(store, "volumes"), 0);
	crash_volume_check_owned(c, store);
}

static void the_end_of_one_that_was_to_go(void **state)
{
	const struct crash_test test = { NULL, run_open, check_gone,
					 prepare_dead };

	crash_every_way(&test);
}

/* After a power cut the catalog knows what the pool has not any more. */
static void vanish(struct crash_case *c, uint32_t volume)
{
	struct store *store = temp_store_open(c->t);
	struct img_err err = { 0 };

	prepare_two(c, store);
	assert_int_equal(store_stop(store, &err), 0);
	store_close(&store);
	fake_dm_remove_thin(c->t->fake, volume);
	fake_dm_reboot(c->t->fake);
	store = temp_store_open(c->t);
	assert_int_equal(store_need_pool(store, &err), 0);
	crash_volume_check_owned(c, store);
	store_close(&store);
}

static void snapshots_go_with_a_volume_that_vanished(void **state)
{
	struct crash_case c = { .t = *state };
	img_auto(store_close) struct store *store = NULL;

	vanish(&c, 1);
	store = temp_store_open(c.t);
	check_gone(&c, store, CRASH_DONE);
}

static void a_snapshot_that_vanished_is_forgotten(void **state)
{
	struct crash_case c = { .t = *state };
	img_auto(store_close) struct store *store = NULL;

	vanish(&c, 2);
	store = temp_store_open(c.t);
	assert_int_equal(count(store, "containers"), 1);
	assert_int_equal(count(store, "snapshots"), 1);
	assert_int_equal(count(store, "volumes"), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_of_crash(taking_a_snapshot),
		test_of_crash(rolling_back),
		test_of_crash(removing_a_snapshot),
		test_of_crash(removing_a_container_with_its_snapshots),
		test_of_crash(cloning),
		test_of_crash(the_end_of_one_that_was_to_go),
		test_in_store(snapshots_go_with_a_volume_that_vanished),
		test_in_store(a_snapshot_that_vanished_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
