#include "storage/snap.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "storage/merge.h"
#include "tests/lib/crash_volume.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/*
 * The driver snapshot: volumes are made, copied, used, merged and removed, and
 * at every step of that something fails or the process dies.
 */

#define MARK_MAX 16

static struct volume find(struct store *store, uint32_t id)
{
	struct volume volume = { 0 };
	struct img_err err = { 0 };

	if (volume_find(store, id, &volume, &err) < 0)
		fail_msg("%s", err.msg);
	return volume;
}

/* Through its device, as a container would. */
static void write_mark(struct store *store, uint32_t id, const char *text)
{
	struct volume volume = find(store, id);
	struct img_err err = { 0 };
	char node[VOLUME_NODE_MAX], mark[MARK_MAX] = "";
	FILE *f;

	(void)snprintf(mark, sizeof(mark), "%s", text);
	if (volume_activate(store, &volume, node, &err) < 0)
		fail_msg("%s", err.msg);
	f = fopen(node, "r+e");
	assert_non_null(f);
	assert_int_equal(fwrite(mark, 1, sizeof(mark), f), sizeof(mark));
	assert_int_equal(fclose(f), 0);
}

static void deactivate(struct store *store, uint32_t id)
{
	struct volume volume = find(store, id);
	struct img_err err = { 0 };

	if (volume_deactivate(store, &volume, &err) < 0)
		fail_msg("%s", err.msg);
}

static void check_mark(struct store *store, uint32_t id, const char *text)
{
	struct volume volume = find(store, id);
	struct img_err err = { 0 };
	char node[VOLUME_NODE_MAX], mark[MARK_MAX];
	FILE *f;

	if (volume_activate(store, &volume, node, &err) < 0)
		fail_msg("%s", err.msg);
	f = fopen(node, "re");
	assert_non_null(f);
	assert_int_equal(fread(mark, 1, sizeof(mark), f), sizeof(mark));
	assert_int_equal(fclose(f), 0);
	assert_string_equal(mark, text);
	deactivate(store, id);
}

typedef int make_fn(struct store *store, const struct volume *origin,
		    struct volume_pending *ret, struct img_err *err);

static uint32_t make(struct store *store, uint32_t origin, make_fn *fn)
{
	img_auto(volume_pending_release) struct volume_pending new = { 0 };
	struct volume volume = find(store, origin);
	struct img_err err = { 0 };

	if (fn(store, &volume, &new, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(crash_volume_keep(&new, &err), 0);
	return new.volume.id;
}

/* Volume 1, whole, and volume 2, made from it, changed, inactive. */
static void prepare_container(struct crash_case *c, struct store *store)
{
	c->volume[0] = temp_store_add_volume(store);
	write_mark(store, c->volume[0], "image");
	deactivate(store, c->volume[0]);
	c->volume[1] = make(store, c->volume[0], volume_snapshot);
	write_mark(store, c->volume[1], "changed");
	deactivate(store, c->volume[1]);
}

static void prepare_active(struct crash_case *c, struct store *store)
{
	prepare_container(c, store);
	write_mark(store, c->volume[1], "again");
}

static int run_make(struct crash_case *c, struct store *store, uint32_t origin,
		    make_fn *fn, struct img_err *err)
{
	img_auto(volume_pending_release) struct volume_pending new = { 0 };
	struct volume volume;
	int r = volume_find(store, origin, &volume, err);

	if (r == 0)
		r = fn(store, &volume, &new, err);
	return r < 0 ? r : crash_volume_keep(&new, err);
}

/* Both that were there are as they were; what is new is as its origin. */
static void check_made(struct crash_case *c, struct store *store,
		       const char *changed, const char *mark,
		       enum crash_end end)
{
	uint32_t last = crash_volume_newest(store);
	bool made = last != c->volume[1];
	uint32_t loose[4] = { c->volume[0], c->volume[1], made ? last : 0, 0 };

	temp_store_check(c->t, store, loose, &loose[1]);
	if (end != CRASH_DIED)
		assert_int_equal(made, end == CRASH_DONE);
	if (made)
		check_mark(store, last, mark);
	check_mark(store, c->volume[1], changed);
	check_mark(store, c->volume[0], "image");
	temp_store_check(c->t, store, loose, NULL);
}

static int run_snapshot(struct crash_case *c, struct store *store,
			struct img_err *err)
{
	return run_make(c, store, c->volume[0], volume_snapshot, err);
}

static void check_snapshot(struct crash_case *c, struct store *store,
			   enum crash_end end)
{
	check_made(c, store, "changed", "image", end);
}

static int run_copy(struct crash_case *c, struct store *store,
		    struct img_err *err)
{
	return run_make(c, store, c->volume[1], volume_copy, err);
}

static int run_clone(struct crash_case *c, struct store *store,
		     struct img_err *err)
{
	return run_make(c, store, c->volume[1], volume_snapshot, err);
}

static void check_copy(struct crash_case *c, struct store *store,
		       enum crash_end end)
{
	check_made(c, store, "changed", "changed", end);
}

static void check_copy_of_active(struct crash_case *c, struct store *store,
				 enum crash_end end)
{
	check_made(c, store, "again", "again", end);
}

static void check_run(struct crash_case *c, struct store *store,
		      enum crash_end end)
{
	uint32_t last = crash_volume_newest(store);
	uint32_t loose[4] = { c->volume[0], c->volume[1],
			      last == c->volume[1] ? 0 : last, 0 };

	/* Nothing is left active, not even the origin. */
	temp_store_check(c->t, store, loose, NULL);
	assert_int_equal(fake_dm_count_devices(c->t->fake), 0);
	if (end == CRASH_DONE)
		assert_true(last != c->volume[1]);
}

static int delete (struct store *store, uint32_t id, struct img_err *err)
{
	struct db *db = store_db(store);
	struct volume_pending gone = { 0 };
	int r = db_begin(db, false, err);

	if (r < 0)
		return r;
	r = volume_begin_delete(store, id, &gone, err);
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

/* The image first: its file stays for the container, and goes with it. */
static int run_delete(struct crash_case *c, struct store *store,
		      struct img_err *err)
{
	int r = delete (store, c->volume[0], err);

	return r < 0 ? r : delete (store, c->volume[1], err);
}

static bool has_volume(struct store *store, uint32_t id)
{
	struct volume volume;
	struct img_err missing = { 0 };

	return volume_find(store, id, &volume, &missing) == 0;
}

static void check_delete(struct crash_case *c, struct store *store,
			 enum crash_end end)
{
	img_auto(img_mem_release) char *base =
		mem_printf("%s/volumes/%u.base", c->t->root, c->volume[0]);
	uint32_t loose[3] = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < 2; i++)
		if (has_volume(store, c->volume[i]))
			loose[n++] = c->volume[i];
	temp_store_check(c->t, store, loose, loose);
	if (has_volume(store, c->volume[1]))
		check_mark(store, c->volume[1], "changed");
	else
		assert_int_equal(access(base, F_OK), -1);
	if (end == CRASH_DONE)
		assert_int_equal(n, 0);
}

static int run_merge(struct crash_case *c, struct store *store,
		     struct img_err *err)
{
	struct volume_pending merge = { 0 };
	struct db *db = store_db(store);
	struct volume volume;
	int r = volume_find(store, c->volume[1], &volume, err);

	if (r == 0)
		r = db_begin(db, true, err);
	if (r == 0)
		r = merge_begin(store, &volume, &merge, err);
	if (r == 0)
		r = db_commit(db, err);
	if (r < 0) {
		db_rollback(db);
		if (merge.store)
			volume_keep(&merge);
		return r;
	}
	return merge_finish(&merge, NULL, err);
}

/* What was begun is done, and nothing of it is left. */
static void check_merge(struct crash_case *c, struct store *store,
			enum crash_end end)
{
	uint32_t loose[3] = { c->volume[0], c->volume[1], 0 };
	struct volume volume = find(store, c->volume[1]);
	struct account_usage usage;
	struct img_err err = { 0 };
	struct snap_file file;

	temp_store_check(c->t, store, loose, NULL);
	assert_int_equal(fake_dm_count_devices(c->t->fake), 0);
	assert_int_equal(
		snap_find(store, volume.id, volume.origin, &file, &err), 0);
	assert_int_equal(file.kind, SNAP_COW);
	assert_int_equal(snap_volume_usage(store, volume.id, &usage, &err), 0);
	check_mark(store, c->volume[1], "changed");
	if (end == CRASH_DONE) {
		check_mark(store, c->volume[0], "changed");
		return;
	}
	/* Begun or not: the one is the rows' word, which is kept. */
	if (usage.exclusive_bytes == 0)
		check_mark(store, c->volume[0], "changed");
	else
		check_mark(store, c->volume[0], "image");
	run_merge(c, store, &err);
	assert_int_equal(err.code, 0);
	check_mark(store, c->volume[0], "changed");
	write_mark(store, c->volume[1], "later");
	deactivate(store, c->volume[1]);
	check_mark(store, c->volume[1], "later");
	check_mark(store, c->volume[0], "changed");
}

static void snapshot_of_an_image(void **state)
{
	crash_every_way(&(struct crash_test){ prepare_container, run_snapshot,
					      check_snapshot, NULL });
}

static void copy_of_an_inactive_container(void **state)
{
	crash_every_way(&(struct crash_test){ prepare_container, run_copy,
					      check_copy, NULL });
}

static void copy_of_an_active_container(void **state)
{
	crash_every_way(&(struct crash_test){ prepare_active, run_copy,
					      check_copy_of_active, NULL });
}

static void clone_of_an_active_container(void **state)
{
	crash_every_way(&(struct crash_test){ prepare_active, run_clone,
					      check_copy_of_active, NULL });
}

static void running(void **state)
{
	crash_every_way(&(struct crash_test){
		prepare_container, crash_volume_run, check_run, NULL });
}

static void deleting(void **state)
{
	crash_every_way(&(struct crash_test){ prepare_container, run_delete,
					      check_delete, NULL });
}

static void merging(void **state)
{
	crash_every_way(&(struct crash_test){ prepare_container, run_merge,
					      check_merge, NULL });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_of_crash(snapshot_of_an_image),
		test_of_crash(copy_of_an_inactive_container),
		test_of_crash(copy_of_an_active_container),
		test_of_crash(clone_of_an_active_container),
		test_of_crash(running),
		test_of_crash(deleting),
		test_of_crash(merging),
	};

	temp_store_driver = "snapshot";
	return cmocka_run_group_tests(tests, NULL, NULL);
}
