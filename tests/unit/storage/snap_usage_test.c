#include "storage/snap.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "tests/lib/temp_store.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

/*
 * Who uses what on the driver snapshot: all at once, and one by one.
 */

static void write_blocks(struct store *store, const struct snap_file *file,
			 size_t bytes)
{
	img_auto(img_mem_release) char *path = snap_path(store, file);
	img_auto(img_mem_release) char *buf = mem_zalloc(bytes);
	img_auto(img_fd_release) int fd =
		open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, buf, bytes, 0), bytes);
	assert_int_equal(fsync(fd), 0); /* its blocks are counted now */
}

/* Rows come by volume, and say what the volume says of itself. */
static void check_all(struct store *store, size_t volumes)
{
	struct account_all all = { 0 };
	struct img_err err = { 0 };
	uint64_t host = 0;

	assert_int_equal(snap_usage_all(store, &all, &err), 0);
	assert_int_equal(all.n, volumes);
	for (size_t i = 0; i < all.n; i++) {
		const struct account_row *row = &all.row[i];
		struct account_usage usage = { 0 };

		assert_true(i == 0 || all.row[i - 1].volume < row->volume);
		assert_int_equal(
			snap_volume_usage(store, row->volume, &usage, &err), 0);
		assert_int_equal(row->usage.mapped_bytes, usage.mapped_bytes);
		assert_int_equal(row->usage.exclusive_bytes,
				 usage.exclusive_bytes);
	}
	assert_int_equal(snap_host_bytes(store, &host, &err), 0);
	assert_int_equal(all.used_bytes, host);
	account_all_release(&all);
}

static void all_is_what_each_says(void **state)
{
	img_auto(store_close) struct store *store = temp_store_open(*state);
	static const struct snap_file files[] = {
		{ SNAP_WHOLE, 1, 1 },  { SNAP_COW, 2, 1 },
		{ SNAP_COW, 10, 1 },   { SNAP_WHOLE, 3, 3 },
		{ SNAP_BASE, 4, 4 },   { SNAP_COW, 5, 4 },
		{ SNAP_BASE, 6, 6 },   { SNAP_COW, 7, 6 },
		{ SNAP_MERGE, 8, 6 },  { SNAP_WHOLE, 9, 9 },
		{ SNAP_MERGE, 11, 9 },
	};

	check_all(store, 0);
	for (size_t i = 0; i < IMG_COUNT(files); i++)
		write_blocks(store, &files[i], (i + 1) * 8192);
	check_all(store, 9);
}

static void shares_are_known(void **state)
{
	img_auto(store_close) struct store *store = temp_store_open(*state);
	const struct snap_file base = { SNAP_BASE, 4, 4 };
	const struct snap_file cow = { SNAP_COW, 5, 4 };
	struct account_all all = { 0 };
	const struct account_usage *usage;
	struct img_err err = { 0 };

	write_blocks(store, &base, 65536);
	write_blocks(store, &cow, 8192);
	assert_int_equal(snap_usage_all(store, &all, &err), 0);
	usage = account_all_find(&all, 5);
	assert_non_null(usage);
	/* The last that is made from it: the base goes with it. */
	assert_int_equal(usage->exclusive_bytes, all.used_bytes);
	assert_int_equal(usage->mapped_bytes, all.used_bytes);
	assert_null(account_all_find(&all, 4));
	account_all_release(&all);
}

static int setup(void **state)
{
	temp_store_driver = "snapshot";
	return temp_store_setup(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_is_what_each_says, setup,
						temp_store_teardown),
		cmocka_unit_test_setup_teardown(shares_are_known, setup,
						temp_store_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
