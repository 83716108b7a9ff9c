#include "storage/recover.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "image/adopt.h"
#include "image/image.h"
#include "storage/ledger.h"
#include "storage/store_impl.h"
#include "tests/lib/temp_store.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

/* What the hooks were told. */
static struct {
	unsigned calls;
	uint32_t volume;
	bool condemn;
	int result;
} ended;

static struct {
	unsigned calls;
	uint32_t volume;
} vanished;

static int on_vanished(struct store *store, uint32_t volume,
		       struct img_err *err)
{
	vanished.calls++;
	vanished.volume = volume;
	return 0;
}

static int on_ended(struct store *store, uint32_t volume, struct img_err *err)
{
	ended.calls++;
	ended.volume = volume;
	if (ended.result < 0)
		return img_err_set(err, IMG_E_SYS, 0, "not now");
	return ended.condemn ? volume_condemn(store, volume, err) : 0;
}

static int setup(void **state)
{
	struct temp_store *t;
	int r = temp_store_setup(state);

	t = *state;
	t->options.run_ended = on_ended;
	t->options.vanished = on_vanished;
	vanished.calls = 0;
	ended.calls = 0;
	ended.condemn = false;
	ended.result = 0;
	return r;
}

/* A supervisor that dies while its container's volume 1 is active. */
static void die_running(struct temp_store *t)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		struct store *store = temp_store_open(t);
		struct volume_pending run = { 0 };
		struct volume volume;
		struct img_err err = { 0 };
		char node[VOLUME_NODE_MAX];
		uint32_t id = temp_store_add_volume(store);

		if (volume_find(store, id, &volume, &err) < 0 ||
		    volume_begin_run(store, &volume, &run, &err) < 0 ||
		    volume_activate(store, &volume, node, &err) < 0)
			_exit(1);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void a_killed_run_is_ended(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = NULL;
	uint32_t loose[] = { 1, 0 };

	die_running(t);
	assert_non_null(fake_dm_find(t->fake, "1"));
	store = temp_store_open(t);
	assert_int_equal(ended.calls, 1);
	assert_int_equal(ended.volume, 1);
	temp_store_check(t, store, loose, NULL);
	/* And that is that. */
	store_close(&store);
	store = temp_store_open(t);
	assert_int_equal(ended.calls, 1);
}

static void a_killed_run_can_be_condemned(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = NULL;

	ended.condemn = true;
	die_running(t);
	store = temp_store_open(t);
	temp_store_check(t, store, NULL, NULL);
	assert_int_equal(
		temp_store_count(store, "SELECT count(*) FROM volumes"), 0);
}

static void a_hook_that_fails_is_called_again(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = NULL;
	uint32_t loose[] = { 1, 0 };

	ended.result = -1;
	die_running(t);
	store = temp_store_open(t);
	assert_int_equal(
		temp_store_count(store, "SELECT count(*) FROM intents"), 1);
	assert_true(temp_store_is_unlocked(store));
	ended.result = 0;
	store_close(&store);
	store = temp_store_open(t);
	assert_int_equal(ended.calls, 2);
	temp_store_check(t, store, loose, NULL);
}

/* An intent that cannot be settled does not hold up the others. */
static void intents_are_independent(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	struct img_err err = { 0 };

	(void)temp_store_add_volume(store);
	(void)temp_store_add_volume(store);
	(void)temp_store_add_volume(store);
	assert_true(db_run(store_db(store), &err,
			   "INSERT INTO intents (op, volume) VALUES"
			   " ('nonsense', 1), ('delete', 77), ('delete', 2),"
			   " ('create', 3)",
			   "") >= 0);
	store_close(&store);
	store = temp_store_open(t);
	assert_int_equal(
		temp_store_count(store, "SELECT count(*) FROM volumes"), 1);
	assert_true(fake_dm_has_thin(t->fake, 1));
	assert_false(fake_dm_has_thin(t->fake, 2));
	assert_false(fake_dm_has_thin(t->fake, 3));
	assert_true(temp_store_is_unlocked(store));
}

static void without_device_mapper_recovery_waits(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = NULL;
	uint32_t loose[] = { 1, 0 };
	struct img_err err = { 0 };

	die_running(t);
	t->fake->absent = true;
	store = temp_store_open(t);
	assert_int_equal(ended.calls, 0);
	assert_int_equal(store_need_pool(store, &err), -IMG_E_NO_DM);
	store_close(&store);
	t->fake->absent = false;
	store = temp_store_open(t);
	assert_int_equal(ended.calls, 1);
	temp_store_check(t, store, loose, NULL);
}

static void the_living_are_left_alone(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *ours = temp_store_open(t);
	img_auto(store_close) struct store *theirs = NULL;
	struct volume_pending new = { 0 };
	struct img_err err = { 0 };

	assert_int_equal(volume_create(ours, 1 << 20, &new, &err), 0);
	theirs = temp_store_open(t);
	assert_int_equal(
		temp_store_count(theirs, "SELECT count(*) FROM intents"), 1);
	assert_true(fake_dm_has_thin(t->fake, new.volume.id));
	volume_pending_release(&new);
	temp_store_check(t, theirs, NULL, NULL);
}

static void run_sql(struct store *store, const char *sql)
{
	struct img_err err = { 0 };

	if (db_run(store_db(store), &err, sql, "") < 0)
		fail_msg("%s", err.msg);
}

/* After a power cut the catalog is an older one than the pool. */
static void forget(struct store *store)
{
	run_sql(store, "DELETE FROM images");
	run_sql(store, "DELETE FROM volumes");
}

static void orphans_go_when_the_pool_comes_up(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	uint32_t loose[] = { 1, 0 };
	struct img_err err = { 0 };

	(void)temp_store_add_volume(store);
	fake_dm_add_thin(t->fake, 2);
	fake_dm_add_thin(t->fake, 16777215);
	/* Up already: then nothing is looked for. */
	store_close(&store);
	store = temp_store_open(t);
	assert_int_equal(store_need_pool(store, &err), 0);
	assert_true(fake_dm_has_thin(t->fake, 2));
	store_close(&store);
	fake_dm_reboot(t->fake);
	store = temp_store_open(t);
	temp_store_check(t, store, loose, NULL);
}

static void an_image_that_the_ledger_knows_comes_back(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	img_auto(image_release) struct image image = { 0 };
	struct id id = temp_store_add_image(store, "a:1");
	struct img_err err = { 0 };

	t->options.adopt = image_adopt;
	forget(store);
	store_close(&store);
	fake_dm_reboot(t->fake);
	store = temp_store_open(t);
	temp_store_check(t, store, NULL, NULL);
	assert_int_equal(image_find(store, "a:1", &image, &err), 0);
	assert_string_equal(image.id.hex, id.hex);
	assert_string_equal(image.config, "{\"Cmd\":[\"sh\"]}");
	assert_int_equal(image.volume.size_bytes, store_volume_bytes(store));
	assert_int_equal(temp_store_count(store, "SELECT count(*) FROM history"
						 " WHERE created_by = 'test'"),
			 1);
}

static void without_a_hook_it_is_kept(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	struct img_err err = { 0 };

	(void)temp_store_add_image(store, "a:1");
	forget(store);
	store_close(&store);
	fake_dm_reboot(t->fake);
	store = temp_store_open(t);
	assert_int_equal(store_need_pool(store, &err), 0);
	assert_true(fake_dm_has_thin(t->fake, 1));
}

/* The ledger's first header, which says where the log is. */
static void damage_ledger(const struct temp_store *t)
{
	img_auto(img_mem_release) char *path =
		mem_printf("%s/thin-0", t->thins);
	img_auto(img_fd_release) int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_int_equal(pwrite(fd, "x", 1, 32 << 20), 1);
}

/* If the ledger cannot be read, nobody knows what is an orphan. */
static void a_damaged_ledger_saves_the_orphans(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	struct img_err err = { 0 };

	(void)temp_store_add_image(store, "a:1");
	forget(store);
	damage_ledger(t);
	store_close(&store);
	fake_dm_reboot(t->fake);
	store = temp_store_open(t);
	assert_int_equal(store_need_pool(store, &err), 0);
	assert_true(fake_dm_has_thin(t->fake, 1));
}

static void damaged_metadata_saves_the_orphans(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	struct img_err err = { 0 };

	(void)temp_store_add_volume(store);
	store_close(&store);
	store = temp_store_open(t);
	fake_dm_add_thin(t->fake, 9);
	{
		img_auto(img_mem_release) char *path =
			mem_printf("%s/pool/metadata", t->root);
		img_auto(img_fd_release) int fd =
			open(path, O_WRONLY | O_CLOEXEC);

		assert_int_equal(ftruncate(fd, 0), 0);
	}
	assert_int_equal(recover_orphans(store, &err), -IMG_E_CORRUPT);
	assert_true(fake_dm_has_thin(t->fake, 9));
	/* It does not keep the store from working. */
	assert_int_equal(store_need_pool(store, &err), 0);
}

/* The removal of a container reached the pool, and then the power went. */
static void rows_of_what_the_pool_lost_go(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	uint32_t gone = temp_store_add_volume(store);
	uint32_t kept = temp_store_add_volume(store);
	uint32_t loose[] = { kept, 0 };
	struct img_err err = { 0 };

	fake_dm_remove_thin(t->fake, gone);
	store_close(&store);
	fake_dm_reboot(t->fake);
	store = temp_store_open(t);
	assert_int_equal(store_need_pool(store, &err), 0);
	assert_int_equal(vanished.calls, 1);
	assert_int_equal(vanished.volume, gone);
	temp_store_check(t, store, loose, NULL);
	/* And its id is not given to another one. */
	assert_int_equal(temp_store_add_volume(store), kept + 1);
}

/* As above, of one that ran: its intent goes with it. */
static void a_run_that_the_pool_lost_goes(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = NULL;
	struct img_err err = { 0 };

	die_running(t);
	fake_dm_add_thin(t->fake, LEDGER_VOLUME);
	fake_dm_remove_thin(t->fake, 1);
	fake_dm_reboot(t->fake);
	store = temp_store_open(t);
	assert_int_equal(store_need_pool(store, &err), 0);
	assert_int_equal(vanished.calls, 1);
	assert_int_equal(ended.calls, 0);
	temp_store_check(t, store, NULL, NULL);
}

/* A supervisor died while another process was about to remove its volume. */
static void an_intent_of_what_is_gone_ends(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = NULL;

	die_running(t);
	t->fake->absent = true; /* keeps this open from ending it */
	store = temp_store_open(t);
	forget(store);
	store_close(&store);
	t->fake->absent = false;
	fake_dm_reboot(t->fake);
	fake_dm_remove_thin(t->fake, 1);
	store = temp_store_open(t);
	assert_int_equal(ended.calls, 0);
	temp_store_check(t, store, NULL, NULL);
}

/* No crash does that to an image: it is left for somebody to look at. */
static void an_image_that_the_pool_lost_keeps_its_rows(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	struct img_err err = { 0 };

	(void)temp_store_add_image(store, "a:1");
	fake_dm_remove_thin(t->fake, 1);
	store_close(&store);
	fake_dm_reboot(t->fake);
	store = temp_store_open(t);
	assert_int_equal(store_need_pool(store, &err), 0);
	assert_int_equal(temp_store_count(store,
					  "SELECT count(*) FROM images i"
					  " JOIN volumes v ON v.id = i.volume"),
			 1);
}

#define test_of_recovery(fn)                                                   \
	cmocka_unit_test_setup_teardown(fn, setup, temp_store_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_of_recovery(a_killed_run_is_ended),
		test_of_recovery(a_killed_run_can_be_condemned),
		test_of_recovery(a_hook_that_fails_is_called_again),
		test_of_recovery(intents_are_independent),
		test_of_recovery(without_device_mapper_recovery_waits),
		test_of_recovery(the_living_are_left_alone),
		test_of_recovery(orphans_go_when_the_pool_comes_up),
		test_of_recovery(an_image_that_the_ledger_knows_comes_back),
		test_of_recovery(without_a_hook_it_is_kept),
		test_of_recovery(a_damaged_ledger_saves_the_orphans),
		test_of_recovery(damaged_metadata_saves_the_orphans),
		test_of_recovery(rows_of_what_the_pool_lost_go),
		test_of_recovery(a_run_that_the_pool_lost_goes),
		test_of_recovery(an_intent_of_what_is_gone_ends),
		test_of_recovery(an_image_that_the_pool_lost_keeps_its_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
