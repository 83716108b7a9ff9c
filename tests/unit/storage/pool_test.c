#include "storage/pool.h"

#include "base/cleanup.h"
#include "base/lock.h"
#include "base/num.h"
#include "tests/lib/temp_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* As drivers/md/dm-thin.c prints it, mode by mode. */
static const struct {
	const char *line;
	struct store_usage expected;
} lines[] = {
	{ "0 141/4096 2/1638400 - rw discard_passdown error_if_no_space - "
	  "1024",
	  { .data_bytes = 1638400 * 64 * KIB,
	    .data_used_bytes = 2 * 64 * KIB,
	    .metadata_bytes = 4096 * 4 * KIB,
	    .metadata_used_bytes = 141 * 4 * KIB } },
	{ "7 4096/4096 0/16 123 ro no_discard_passdown queue_if_no_space - 1",
	  { .data_bytes = 16 * 64 * KIB,
	    .metadata_bytes = 4096 * 4 * KIB,
	    .metadata_used_bytes = 4096 * 4 * KIB,
	    .read_only = true } },
	{ "18446744073709551615 1/2 16/16 - out_of_data_space "
	  "ignore_discard error_if_no_space - 1024",
	  { .data_bytes = 16 * 64 * KIB,
	    .data_used_bytes = 16 * 64 * KIB,
	    .metadata_bytes = 2 * 4 * KIB,
	    .metadata_used_bytes = 4 * KIB,
	    .out_of_space = true } },
	{ "0 1/2 3/16 - ro discard_passdown error_if_no_space needs_check 0",
	  { .data_bytes = 16 * 64 * KIB,
	    .data_used_bytes = 3 * 64 * KIB,
	    .metadata_bytes = 2 * 4 * KIB,
	    .metadata_used_bytes = 4 * KIB,
	    .read_only = true,
	    .needs_check = true } },
	{ "Fail", { .failed = true } },
	{ "Error", { .failed = true } },
};

static void every_mode_is_understood(void **state)
{
	for (size_t i = 0; i < IMG_COUNT(lines); i++) {
		const struct store_usage *e = &lines[i].expected;
		struct store_usage got;
		struct img_err err = { 0 };

		assert_int_equal(pool_parse_status(lines[i].line, 64 * KIB,
						   &got, &err),
				 0);
		assert_int_equal(got.data_bytes, e->data_bytes);
		assert_int_equal(got.data_used_bytes, e->data_used_bytes);
		assert_int_equal(got.metadata_bytes, e->metadata_bytes);
		assert_int_equal(got.metadata_used_bytes,
				 e->metadata_used_bytes);
		assert_int_equal(got.read_only, e->read_only);
		assert_int_equal(got.out_of_space, e->out_of_space);
		assert_int_equal(got.needs_check, e->needs_check);
		assert_int_equal(got.failed, e->failed);
	}
}

static void other_lines_are_refused(void **state)
{
	static const char *const bad[] = {
		"", "rw", "0", "0 1/2", "0 1/2 3", "0 1/2 x/16 - rw", "a 1/2",
	};

	for (size_t i = 0; i < IMG_COUNT(bad); i++) {
		struct store_usage got;
		struct img_err err = { 0 };

		assert_int_equal(pool_parse_status(bad[i], 64 * KIB, &got,
						   &err),
				 -IMG_E_INTERNAL);
		assert_non_null(
			strstr(err.msg, "cannot read the pool's status"));
	}
}

static void devices_are_named_after_their_store(void **state)
{
	img_auto(store_close) struct store *store = temp_store_open(*state);
	char text[DM_UUID_MAX + 8];
	struct dm_name name;

	assert_int_equal(strlen(store->id), STORE_ID_LEN);
	store_device_name(store, "16777215", &name);
	(void)snprintf(text, sizeof(text), "img-%.8s-16777215", store->id);
	assert_string_equal(name.name, text);
	(void)snprintf(text, sizeof(text), "IMG-%s-16777215", store->id);
	assert_string_equal(name.uuid, text);
	pool_name(store, &name);
	(void)snprintf(text, sizeof(text), "IMG-%s-pool", store->id);
	assert_string_equal(name.uuid, text);
}

static void the_pool_lies_on_its_two_files(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	struct img_err err = { 0 };
	const struct fake_device *pool;
	dev_t dev;

	assert_int_equal(pool_is_up(store, &err), 0);
	assert_int_equal(pool_dev(store, &dev, &err), -IMG_E_NOT_FOUND);
	assert_non_null(strstr(err.msg, "is not up"));
	err = (struct img_err){ 0 };
	assert_int_equal(store_need_pool(store, &err), 0);
	pool = fake_dm_find(t->fake, "pool");
	assert_non_null(pool);
	assert_string_equal(pool->target, "thin-pool");
	assert_int_equal(pool->len_sectors, 100 * MIB / 512);
	/* 1600 chunks of 64 KiB; warned about when a tenth is left. */
	assert_string_equal(pool->params,
			    "7:0 7:1 128 160 1 error_if_no_space");
	assert_int_equal(pool_is_up(store, &err), 1);
}

static pid_t start_bringing_up(struct temp_store *t, bool down)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct store *store = temp_store_open(t);
		struct img_err err = { 0 };
		int r = down ? store_stop(store, &err)
			     : store_need_pool(store, &err);

		_exit(r < 0);
	}
	return pid;
}

/* Whoever holds the store's lock is at it already. */
static void one_brings_it_up_or_down_at_a_time(void **state)
{
	struct temp_store *t = *state;

	for (int down = 0; down < 2; down++) {
		img_auto(store_close) struct store *store = temp_store_open(t);
		struct img_err err = { 0 };
		int status;
		pid_t pid;

		assert_int_equal(lock_try(store->lock_fd, LOCK_STORE, &err), 1);
		pid = start_bringing_up(t, down != 0);
		(void)usleep(100000); /* long enough not to wait */
		assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
		assert_int_equal(fake_dm_count_devices(t->fake), down);
		lock_drop(store->lock_fd, LOCK_STORE);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		assert_int_equal(fake_dm_count_devices(t->fake), !down);
	}
}

static void a_suspended_pool_goes_on(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	struct img_err err = { 0 };

	assert_int_equal(store_need_pool(store, &err), 0);
	fake_dm_find(t->fake, "pool")->suspended = true;
	assert_int_equal(pool_is_up(store, &err), 1);
	assert_false(fake_dm_find(t->fake, "pool")->suspended);
}

static void a_failing_message_shows_the_pool(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	struct img_err err = { 0 };

	assert_int_equal(store_need_pool(store, &err), 0);
	(void)snprintf(t->fake->status, sizeof(t->fake->status), "Fail");
	assert_int_equal(pool_message(store, &err, "nonsense %d", 1),
			 -IMG_E_SYS);
	assert_non_null(strstr(err.msg, "(pool: Fail)"));
	err = (struct img_err){ 0 };
	assert_int_equal(pool_message(store, &err, "delete 1"),
			 -IMG_E_NOT_FOUND);
	assert_null(strstr(err.msg, "(pool:"));
}

static void usage_is_the_kernels(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	struct store_usage usage;
	struct img_err err = { 0 };

	assert_int_equal(store_usage(store, &usage, &err), 0);
	assert_int_equal(usage.data_bytes, 100 * MIB);
	assert_int_equal(usage.data_used_bytes, 3 * 64 * KIB);
	assert_int_equal(usage.metadata_bytes, 2 * MIB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_mode_is_understood),
		cmocka_unit_test(other_lines_are_refused),
		test_in_store(devices_are_named_after_their_store),
		test_in_store(the_pool_lies_on_its_two_files),
		test_in_store(one_brings_it_up_or_down_at_a_time),
		test_in_store(a_suspended_pool_goes_on),
		test_in_store(a_failing_message_shows_the_pool),
		test_in_store(usage_is_the_kernels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
