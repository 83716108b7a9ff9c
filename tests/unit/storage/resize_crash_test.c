#include "storage/resize.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/num.h"
#include "tests/lib/crash_volume.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

/*
 * A volume becomes larger, in use or not, and at every step of that something
 * fails or the process dies.
 */

#define LARGER (256 * MIB)

/* Where the test's file systems keep their size. */
#define FS_OFFSET 512

static void write_fs(const char *node, uint64_t size)
{
	img_auto(img_fd_release) int fd = open(node, O_RDWR | O_CLOEXEC);
	struct img_err err = { 0 };

	assert_true(fd >= 0);
	fault_pause();
	assert_int_equal(
		file_pwrite(fd, &size, sizeof(size), FS_OFFSET, node, &err), 0);
	fault_go_on();
}

static uint64_t read_fs(const struct temp_store *t, uint32_t id)
{
	char path[80];
	uint64_t size = 0;
	struct img_err err = { 0 };

	(void)snprintf(path, sizeof(path), "%s/thin-%u", t->thins, id);
	{
		img_auto(img_fd_release) int fd =
			open(path, O_RDONLY | O_CLOEXEC);

		assert_true(fd >= 0);
		assert_int_equal(file_pread(fd, &size, sizeof(size), FS_OFFSET,
					    path, &err),
				 0);
	}
	return size;
}

/* A file system never becomes larger than its device. */
static int grow(struct store *store, const char *node, uint64_t size_bytes,
		struct img_err *err)
{
	struct stat st;

	if (fault_is_due())
		return img_err_set(err, IMG_E_SYS, EIO, "injected into grow");
	assert_int_equal(stat(node, &st), 0);
	assert_true((uint64_t)st.st_size >= size_bytes);
	write_fs(node, size_bytes);
	return 0;
}

/* A volume with a file system of 64 MiB. */
static void prepare_volume(struct crash_case *c, struct store *store)
{
	struct volume volume;
	struct img_err err = { 0 };
	char node[VOLUME_NODE_MAX];

	c->t->options.grow = grow;
	c->volume[0] = temp_store_add_volume(store);
	assert_int_equal(volume_find(store, c->volume[0], &volume, &err), 0);
	assert_int_equal(volume_activate(store, &volume, node, &err), 0);
	write_fs(node, volume.size_bytes);
	assert_int_equal(volume_deactivate(store, &volume, &err), 0);
}

static int run_resize(struct crash_case *c, struct store *store,
		      struct img_err *err)
{
	return resize_volume(store, c->volume[0], LARGER, err);
}

/* What holds after the next command, whatever happened. */
static void check_sizes(struct crash_case *c, struct store *store,
			enum crash_end end)
{
	struct volume volume;
	uint64_t fs = read_fs(c->t, c->volume[0]);
	struct img_err err = { 0 };
	bool no_fs = end == CRASH_FAILED && strstr(c->message, "into grow");

	assert_int_equal(volume_find(store, c->volume[0], &volume, &err), 0);
	if (end == CRASH_DONE || no_fs)
		assert_int_equal(volume.size_bytes, LARGER);
	else if (end == CRASH_FAILED)
		assert_int_equal(volume.size_bytes, 64 * MIB);
	else
		assert_true(volume.size_bytes == LARGER ||
			    volume.size_bytes == 64 * MIB);
	assert_true(fs == volume.size_bytes || volume.fs_bytes == fs);
	if (end == CRASH_DONE)
		assert_int_equal(fs, LARGER);
	if (no_fs) /* it is told, and stays to be done */
		assert_int_equal(volume.fs_bytes, 64 * MIB);
}

static void check_idle(struct crash_case *c, struct store *store,
		       enum crash_end end)
{
	uint32_t loose[2] = { c->volume[0], 0 };

	check_sizes(c, store, end);
	temp_store_check(c->t, store, loose, NULL);
}

static void a_volume_that_nobody_uses(void **state)
{
	const struct crash_test test = { prepare_volume, run_resize, check_idle,
					 NULL };

	crash_every_way(&test);
}

/* Somebody who runs the volume, and lives. */
static struct {
	struct store *store;
	struct volume_pending pending;
} user;

static void prepare_running(struct crash_case *c, struct store *store)
{
	char node[VOLUME_NODE_MAX];
	struct volume volume;
	struct img_err err = { 0 };

	prepare_volume(c, store);
	user.store = temp_store_open(c->t);
	assert_int_equal(volume_find(user.store, c->volume[0], &volume, &err),
			 0);
	assert_int_equal(
		volume_begin_run(user.store, &volume, &user.pending, &err), 0);
	assert_int_equal(volume_activate(user.store, &volume, node, &err), 0);
	fake_dm_find(c->t->fake, "1")->open_count = 1;
}

static void end_running(struct crash_case *c)
{
	struct img_err err = { 0 };

	fake_dm_find(c->t->fake, "1")->open_count = 0;
	assert_int_equal(
		volume_deactivate(user.store, &user.pending.volume, &err), 0);
	assert_int_equal(volume_settle(&user.pending, &err), 0);
	volume_keep(&user.pending);
	store_close(&user.store);
}

static void check_running(struct crash_case *c, struct store *store,
			  enum crash_end end)
{
	struct fake_device *device = fake_dm_find(c->t->fake, "1");
	uint32_t loose[2] = { c->volume[0], 0 };
	struct volume volume;
	struct img_err err = { 0 };

	check_sizes(c, store, end);
	/* The row, the device and its user's own table are of one size. */
	assert_int_equal(volume_find(store, c->volume[0], &volume, &err), 0);
	assert_non_null(device);
	assert_int_equal(device->len_sectors * SECTOR_BYTES, volume.size_bytes);
	assert_int_equal(
		temp_store_count(store, "SELECT count(*) FROM intents"), 1);
	end_running(c);
	temp_store_check(c->t, store, loose, NULL);
}

static void a_volume_in_use(void **state)
{
	const struct crash_test test = { prepare_running, run_resize,
					 check_running, NULL };

	crash_every_way(&test);
}

/* A snapshot that is larger than its origin, as `img run --size` makes it. */
static int run_larger(struct crash_case *c, struct store *store,
		      struct img_err *err)
{
	img_auto(volume_pending_release) struct volume_pending new = { 0 };
	struct volume origin;
	int r = volume_find(store, c->volume[0], &origin, err);

	if (r == 0)
		r = volume_snapshot_larger(store, &origin, LARGER, &new, err);
	if (r == 0)
		r = crash_volume_begin_run(&new, err);
	if (r == 0)
		r = resize_fill(store, &new, err);
	if (r == 0)
		r = volume_deactivate(store, &new.volume, err);
	return r < 0 ? r : crash_volume_keep(&new, err);
}

static void check_larger(struct crash_case *c, struct store *store,
			 enum crash_end end)
{
	uint32_t last = crash_volume_newest(store);
	uint32_t loose[3] = { c->volume[0], last == c->volume[0] ? 0 : last,
			      0 };
	struct volume volume;
	struct img_err err = { 0 };

	temp_store_check(c->t, store, loose, NULL);
	assert_int_equal(read_fs(c->t, c->volume[0]), 64 * MIB);
	assert_int_equal(volume_find(store, last, &volume, &err), 0);
	assert_int_equal(volume.size_bytes,
			 last == c->volume[0] ? 64 * MIB : LARGER);
	if (!volume.fs_bytes)
		assert_int_equal(read_fs(c->t, last), volume.size_bytes);
	else
		assert_int_equal(volume.fs_bytes, 64 * MIB);
	if (end == CRASH_DONE) {
		assert_true(last != c->volume[0]);
		assert_int_equal(volume.fs_bytes, 0);
	}
}

static void a_snapshot_larger_than_its_origin(void **state)
{
	const struct crash_test test = { prepare_volume, run_larger,
					 check_larger, NULL };

	crash_every_way(&test);
}

static void what_cannot_be_is_refused(void **state)
{
	struct crash_case c = { .t = *state };
	struct store *store = temp_store_open(c.t);
	img_auto(volume_pending_release) struct volume_pending new = { 0 };
	struct volume volume = { 0 };
	struct img_err err = { 0 };

	prepare_volume(&c, store);
	store_close(&store);
	store = temp_store_open(c.t); /* with the hook */
	assert_int_equal(resize_volume(store, c.volume[0], 32 * MIB, &err),
			 -IMG_E_INPUT);
	assert_string_equal(err.msg,
			    "it has 64.0 MiB already, and a file system can "
			    "only be made larger: its blocks may be anywhere");
	err = (struct img_err){ 0 };
	assert_int_equal(resize_volume(store, 77, LARGER, &err),
			 -IMG_E_NOT_FOUND);
	err = (struct img_err){ 0 };
	assert_int_equal(resize_volume(store, c.volume[0], 64 * MIB, &err), 0);
	assert_int_equal(volume_find(store, c.volume[0], &volume, &err), 0);
	assert_int_equal(volume_snapshot_larger(store, &volume, MIB, &new,
						&err),
			 -IMG_E_INPUT);
	assert_string_equal(err.msg, "1.0 MiB is less than the 64.0 MiB of "
				     "what is copied");
	/* Somebody deletes it. */
	err = (struct img_err){ 0 };
	{
		img_auto(store_close) struct store *other =
			temp_store_open(c.t);
		struct volume_pending gone = { 0 };

		assert_int_equal(volume_begin_delete(other, c.volume[0], &gone,
						     &err),
				 0);
		assert_int_equal(resize_volume(store, c.volume[0], LARGER,
					       &err),
				 -IMG_E_BUSY);
		assert_string_equal(err.msg, "another process is using it");
		volume_keep(&gone);
	}
	store_close(&store);
}

/* Its user is between two stools: its intent is there, its device is not. */
static void who_is_just_ending_is_let_go(void **state)
{
	struct crash_case c = { .t = *state };
	struct store *store = temp_store_open(c.t);
	struct volume volume;
	struct img_err err = { 0 };

	prepare_running(&c, store);
	store_close(&store);
	store = temp_store_open(c.t);
	fake_dm_find(c.t->fake, "1")->open_count = 0;
	assert_int_equal(
		volume_deactivate(user.store, &user.pending.volume, &err), 0);
	assert_int_equal(resize_volume(store, c.volume[0], LARGER, &err),
			 -IMG_E_BUSY);
	assert_string_equal(err.msg,
			    "it is just starting or ending: try again");
	assert_int_equal(volume_find(store, c.volume[0], &volume, &err), 0);
	assert_int_equal(volume.size_bytes, 64 * MIB);
	assert_int_equal(volume.fs_bytes, 0);
	assert_null(fake_dm_find(c.t->fake, "1"));
	assert_int_equal(volume_settle(&user.pending, &err), 0);
	volume_keep(&user.pending);
	store_close(&user.store);
	store_close(&store);
}

/* What is not yet grown stays to be grown in every copy. */
static void a_copy_of_what_has_yet_to_grow(void **state)
{
	struct crash_case c = { .t = *state };
	struct store *store = temp_store_open(c.t);
	img_auto(volume_pending_release) struct volume_pending new = { 0 };
	struct volume volume;
	struct img_err err = { 0 };

	prepare_volume(&c, store);
	store_close(&store);
	c.t->options.grow = NULL;
	store = temp_store_open(c.t);
	assert_int_equal(resize_volume(store, c.volume[0], LARGER, &err),
			 -IMG_E_UNSUPPORTED);
	err = (struct img_err){ 0 };
	assert_int_equal(volume_find(store, c.volume[0], &volume, &err), 0);
	assert_int_equal(volume.size_bytes, LARGER);
	assert_int_equal(volume.fs_bytes, 64 * MIB);
	assert_int_equal(volume_snapshot(store, &volume, &new, &err), 0);
	assert_int_equal(new.volume.size_bytes, LARGER);
	assert_int_equal(new.volume.fs_bytes, 64 * MIB);
	volume_pending_release(&new);
	store_close(&store);
	/* Asked for once more, by one who can. */
	c.t->options.grow = grow;
	store = temp_store_open(c.t);
	assert_int_equal(resize_volume(store, c.volume[0], LARGER, &err), 0);
	assert_int_equal(volume_find(store, c.volume[0], &volume, &err), 0);
	assert_int_equal(volume.fs_bytes, 0);
	assert_int_equal(read_fs(c.t, c.volume[0]), LARGER);
	store_close(&store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_of_crash(a_volume_that_nobody_uses),
		test_of_crash(a_volume_in_use),
		test_of_crash(a_snapshot_larger_than_its_origin),
		test_in_store(what_cannot_be_is_refused),
		test_in_store(who_is_just_ending_is_let_go),
		test_in_store(a_copy_of_what_has_yet_to_grow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
