#include "storage/rebuild.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "image/adopt.h"
#include "image/image.h"
#include "storage/ledger.h"
#include "storage/store_impl.h"
#include "tests/lib/fault.h"
#include "tests/lib/temp_store.h"

#include <fcntl.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* What the hook was told of. */
static struct {
	unsigned calls;
	struct volume last;
} found;

static int on_found(struct store *store, const struct volume *volume,
		    struct img_err *err)
{
	found.calls++;
	found.last = *volume;
	return 0;
}

static int rebuild(struct temp_store *t, struct rebuild_result *ret,
		   struct img_err *err)
{
	const struct rebuild_options options = { .store = &t->options,
						 .found = on_found };

	t->options.adopt = image_adopt;
	found.calls = 0;
	return rebuild_catalog(&options, ret, err);
}

static void rebuild_well(struct temp_store *t, unsigned images, unsigned others)
{
	img_auto(rebuild_result_release) struct rebuild_result result = { 0 };
	struct img_err err = { 0 };

	if (rebuild(t, &result, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(result.images, images);
	assert_int_equal(result.others, others);
	assert_int_equal(found.calls, others);
}

static void rebuild_badly(struct temp_store *t, int code, const char *message)
{
	img_auto(rebuild_result_release) struct rebuild_result result = { 0 };
	struct img_err err = { 0 };

	assert_int_equal(rebuild(t, &result, &err), code);
	if (!strstr(err.msg, message))
		fail_msg("'%s' does not say '%s'", err.msg, message);
}

static void lose_catalog(struct temp_store *t)
{
	static const char *const files[] = { "", "-wal", "-shm" };

	for (size_t i = 0; i < IMG_COUNT(files); i++) {
		img_auto(img_mem_release) char *path =
			mem_printf("%s/store.db%s", t->root, files[i]);

		(void)unlink(path); /* not all are there */
	}
}

/* The image a:1 on volume 1, with b:2 on 2 the name x:1 moved to it, and the
 * volume 3 of nobody; then a reboot, and no catalog. */
static struct id begin(struct temp_store *t)
{
	img_auto(store_close) struct store *store = temp_store_open(t);
	img_auto(image_release) struct image first = { 0 }, second = { 0 };
	struct image_name x;
	struct img_err err = { 0 };
	struct id id = temp_store_add_image(store, "a:1");

	(void)temp_store_add_image(store, "b:2");
	(void)temp_store_add_volume(store);
	assert_int_equal(image_name_parse("x:1", &x, &err), 0);
	assert_int_equal(image_find(store, "a:1", &first, &err), 0);
	assert_int_equal(image_find(store, "b:2", &second, &err), 0);
	assert_int_equal(image_tag(store, &first, &x, &err), 0);
	assert_int_equal(image_tag(store, &second, &x, &err), 0);
	store_close(&store);
	fake_dm_reboot(t->fake);
	lose_catalog(t);
	return id;
}

static void check(struct temp_store *t, const struct id *id)
{
	img_auto(store_close) struct store *store = temp_store_open(t);
	img_auto(image_release) struct image image = { 0 };
	struct img_err err = { 0 };
	uint32_t loose[] = { 3, 0 };

	temp_store_check(t, store, loose, NULL);
	assert_int_equal(image_find(store, "a:1", &image, &err), 0);
	assert_string_equal(image.id.hex, id->hex);
	assert_string_equal(image.config, "{\"Cmd\":[\"sh\"]}");
	image_release(&image);
	assert_int_equal(image_find(store, "x:1", &image, &err), 0);
	assert_int_equal(image.volume.id, 2);
	assert_int_equal(temp_store_count(store, "SELECT count(*) FROM names"),
			 3);
	assert_int_equal(
		temp_store_count(store, "SELECT count(*) FROM history"), 2);
	/* Ids go on after the last. */
	assert_int_equal(temp_store_add_volume(store), 4);
}

static void a_lost_catalog_is_made_again(void **state)
{
	struct temp_store *t = *state;
	struct id id = begin(t);
	struct img_err err = { 0 };
	struct store *store = NULL;

	/* Until then no command makes a new store over it. */
	assert_int_equal(store_open(&t->options, &store, &err), -IMG_E_CORRUPT);
	assert_non_null(strstr(err.msg, "img doctor --rebuild"));
	err = (struct img_err){ 0 };
	t->options.create = false;
	assert_int_equal(store_open(&t->options, &store, &err), -IMG_E_CORRUPT);
	assert_non_null(strstr(err.msg, "img doctor --rebuild"));
	rebuild_well(t, 2, 1);
	assert_int_equal(found.last.id, 3);
	check(t, &id);
}

/* A name that moved, and then went, does not come back with its first owner. */
static void a_name_that_moved_and_went_stays_away(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	img_auto(image_release) struct image second = { 0 };
	struct image_name x;
	struct img_err err = { 0 };

	(void)temp_store_add_image(store, "x:1");
	(void)temp_store_add_image(store, "b:2");
	assert_int_equal(image_name_parse("x:1", &x, &err), 0);
	assert_int_equal(image_find(store, "b:2", &second, &err), 0);
	assert_int_equal(image_tag(store, &second, &x, &err), 0);
	assert_int_equal(image_untag(store, &second, &x, &err), 0);
	store_close(&store);
	fake_dm_reboot(t->fake);
	lose_catalog(t);
	rebuild_well(t, 2, 0);
	store = temp_store_open(t);
	assert_int_equal(temp_store_count(store, "SELECT count(*) FROM names"),
			 1);
}

static void a_whole_catalog_is_kept(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);

	(void)temp_store_add_image(store, "a:1");
	store_close(&store);
	rebuild_badly(t, -IMG_E_EXISTS, "is whole");
	store = temp_store_open(t);
	temp_store_check(t, store, NULL, NULL);
}

static void a_damaged_catalog_is_put_aside(void **state)
{
	struct temp_store *t = *state;
	struct id id = begin(t);
	img_auto(img_mem_release) char *path =
		mem_printf("%s/store.db", t->root);
	img_auto(img_mem_release) char *pattern =
		mem_printf("%s/store.db.damaged-*Z", t->root);
	struct img_err err = { 0 };
	glob_t aside;

	assert_int_equal(file_replace(AT_FDCWD, path, "no database at all", 18,
				      false, &err),
			 0);
	rebuild_well(t, 2, 1);
	check(t, &id);
	assert_int_equal(glob(pattern, 0, NULL, &aside), 0);
	assert_int_equal(aside.gl_pathc, 1);
	globfree(&aside);
}

static void a_catalog_of_a_later_day_is_left_alone(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	struct img_err err = { 0 };

	assert_true(db_run(store_db(store), &err, "PRAGMA user_version = 99",
			   "") >= 0);
	store_close(&store);
	rebuild_badly(t, -IMG_E_UNSUPPORTED, "99");
}

static void from_nothing_nothing_is_made(void **state)
{
	struct temp_store *t = *state;
	struct img_err err = { 0 };

	assert_int_equal(file_mkdirs(t->root, 0700, &err), 0);
	rebuild_badly(t, -IMG_E_NOT_FOUND, "nothing to make a catalog from");
}

/* Its old pool is up, and the fake's ledger is nowhere in the pool's data. */
static void a_pool_of_an_unknown_id_is_in_the_way(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);

	(void)temp_store_add_image(store, "a:1");
	store_close(&store);
	lose_catalog(t);
	rebuild_badly(t, -IMG_E_BUSY, "never recorded");
}

/* Returns how it ended: 0 done, 1 failed, 2 without a fault, FAULT_KILLED. */
static int rebuild_apart(struct temp_store *t, enum fault fault, unsigned n)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		struct rebuild_result result = { 0 };
		struct img_err err = { 0 };
		int r;

		fault_arm(fault, n);
		r = rebuild(t, &result, &err);
		_exit(r < 0 ? 1 : fault_disarm() < n ? 2 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* Whatever it leaves, it can be run again. */
static void interrupt(enum fault fault)
{
	unsigned n, interrupted = 0;

	for (n = 1; n < 1000; n++) {
		struct temp_store t;
		struct id id;
		int end;

		temp_store_init(&t);
		id = begin(&t);
		end = rebuild_apart(&t, fault, n);
		if (end != 0 && end != 2) {
			struct rebuild_result result = { 0 };
			struct img_err err = { 0 };

			interrupted++;
			fake_dm_reboot(t.fake);
			/* Its last step may have been behind it. */
			if (rebuild(&t, &result, &err) < 0 &&
			    err.code != IMG_E_EXISTS)
				fail_msg("after step %u: %s", n, err.msg);
			rebuild_result_release(&result);
		}
		check(&t, &id);
		temp_store_release(&t);
		if (end == 2)
			break;
	}
	print_message("%u steps\n", interrupted);
	assert_true(interrupted > 10);
}

static void every_step_dies(void **state)
{
	interrupt(FAULT_KILL);
}

static void every_step_fails(void **state)
{
	interrupt(FAULT_FAIL);
}

/* The driver "snapshot" keeps its ledger in a file, which tells the id. */
static void volumes_in_files_are_found(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = NULL;
	char id[STORE_ID_LEN + 1];

	t->options.driver = "snapshot";
	t->options.sizes = (struct store_sizes){ .volume_bytes = 16 << 20 };
	store = temp_store_open(t);
	memcpy(id, store->id, sizeof(id));
	(void)temp_store_add_image(store, "a:1");
	(void)temp_store_add_volume(store);
	store_close(&store);
	lose_catalog(t);
	rebuild_well(t, 1, 1);
	assert_int_equal(found.last.id, 2);
	assert_int_equal(found.last.size_bytes, 16 << 20);
	store = temp_store_open(t);
	assert_string_equal(store->id, id);
	assert_int_equal(store->sizes.volume_bytes, 16 << 20);
}

/* Who works on the store has a byte of its lock file. */
static void what_runs_is_in_the_way(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = NULL;
	struct volume_pending pending = { 0 };
	struct img_err err = { 0 };

	t->options.driver = "snapshot";
	t->options.sizes = (struct store_sizes){ .volume_bytes = 16 << 20 };
	store = temp_store_open(t);
	(void)temp_store_add_image(store, "a:1");
	assert_int_equal(volume_create(store, 16 << 20, &pending, &err), 0);
	lose_catalog(t);
	rebuild_badly(t, -IMG_E_BUSY, "end them first");
	volume_keep(&pending);
	store_close(&store);
	rebuild_well(t, 1, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_store(a_lost_catalog_is_made_again),
		test_in_store(a_name_that_moved_and_went_stays_away),
		test_in_store(a_whole_catalog_is_kept),
		test_in_store(a_damaged_catalog_is_put_aside),
		test_in_store(a_catalog_of_a_later_day_is_left_alone),
		test_in_store(from_nothing_nothing_is_made),
		test_in_store(a_pool_of_an_unknown_id_is_in_the_way),
		cmocka_unit_test(every_step_dies),
		cmocka_unit_test(every_step_fails),
		test_in_store(volumes_in_files_are_found),
		test_in_store(what_runs_is_in_the_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
