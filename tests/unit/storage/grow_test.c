#include "storage/capacity.h"

#include "base/cleanup.h"
#include "base/num.h"
#include "base/str.h"
#include "storage/ledger.h"
#include "storage/reserve.h"
#include "storage/store_impl.h"
#include "storage/volume.h"
#include "tests/lib/crash.h"
#include "tests/lib/temp_store.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define CHUNK (64 * KIB)

static uint64_t file_bytes(const struct temp_store *t, const char *name)
{
	img_auto(img_mem_release) char *path =
		mem_printf("%s/pool/%s", t->root, name);
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return (uint64_t)st.st_size;
}

/* The recorded size, the file's and the kernel's are one. */
static void assert_size(struct temp_store *t, struct store *store,
			uint64_t data_bytes, uint64_t metadata_bytes)
{
	assert_int_equal(store->sizes.data_bytes, data_bytes);
	assert_int_equal(store->sizes.metadata_bytes, metadata_bytes);
	assert_int_equal(file_bytes(t, "data"), data_bytes);
	assert_int_equal(file_bytes(t, "metadata"), metadata_bytes);
	assert_int_equal(t->fake->data_blocks * CHUNK, data_bytes);
	assert_int_equal(t->fake->meta_blocks * 4096, metadata_bytes);
	fake_dm_check(t->fake);
}

static void reserves_follow_the_size(void **state)
{
	struct store store = { 0 };

	assert_int_equal(reserve_of_data(&store, 16 * MIB), MIB);
	assert_int_equal(reserve_of_data(&store, 100 * MIB), 2 * MIB);
	assert_int_equal(reserve_of_data(&store, 10 * TIB), GIB);
	assert_int_equal(reserve_low_data(&store, 16 * MIB), 2 * MIB);
	assert_int_equal(reserve_low_data(&store, 100 * MIB), 10 * MIB);
	assert_int_equal(reserve_low_data(&store, 100 * GIB), 10 * GIB);
	store.sizes.reserve_bytes = 40 * MIB;
	assert_int_equal(reserve_of_data(&store, 100 * MIB), 40 * MIB);
	assert_int_equal(reserve_low_data(&store, 100 * MIB), 80 * MIB);
	assert_int_equal(reserve_of_metadata(2 * MIB), MIB);
	assert_int_equal(reserve_of_metadata(4 * MIB), 2 * MIB);
	assert_int_equal(reserve_of_metadata(16 * MIB), 4 * MIB);
	assert_int_equal(reserve_of_metadata(GIB), 256 * MIB);
	assert_true(reserve_low_metadata(GIB) > 256 * MIB);
}

static int create(struct store *store, struct img_err *err)
{
	img_auto(volume_pending_release) struct volume_pending new = { 0 };

	return volume_create(store, 16 * MIB, &new, err);
}

static void below_the_reserve_nothing_is_made(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	img_auto(volume_pending_release) struct volume_pending gone = { 0 };
	uint32_t id = temp_store_add_volume(store);
	struct img_err err = { 0 };

	/* 2 MiB are kept of 100 MiB. */
	t->fake->data_used = 1600 - 32;
	assert_int_equal(create(store, &err), 0);
	t->fake->data_used = 1600 - 31;
	assert_int_equal(create(store, &err), -IMG_E_NO_SPACE);
	assert_non_null(strstr(err.msg, "1.9 MiB of its data is free"));
	assert_non_null(strstr(err.msg, "the last 2.0 MiB are kept"));
	assert_non_null(strstr(err.msg, "img rm"));
	/* A removal asks for nothing. */
	t->fake->data_used = 1600;
	err = (struct img_err){ 0 };
	assert_int_equal(volume_begin_delete(store, id, &gone, &err), 0);
	assert_int_equal(volume_finish_delete(&gone, &err), 0);
	assert_false(fake_dm_has_thin(t->fake, id));
}

static void so_for_metadata(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	struct img_err err = { 0 };
	struct store_usage usage;

	assert_int_equal(store_need_pool(store, &err), 0);
	/* What can grow does: from 2 MiB to 4. */
	t->fake->meta_used = 300;
	assert_int_equal(create(store, &err), 0);
	assert_size(t, store, 100 * MIB, 4 * MIB);
	/* What cannot: the reserve is half of that. */
	(void)snprintf(t->fake->status, sizeof(t->fake->status),
		       "0 600/1024 3/1600 - rw discard_passdown "
		       "error_if_no_space needs_check 1024");
	assert_int_equal(create(store, &err), -IMG_E_NO_SPACE);
	assert_non_null(strstr(err.msg, "takes no new volumes"));
	assert_int_equal(store_usage(store, &usage, &err), 0);
	assert_true(usage.needs_check);
}

static void a_pool_that_may_grows_first(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = NULL;
	struct img_err err = { 0 };

	t->options.sizes.max_bytes = 250 * MIB;
	store = temp_store_open(t);
	assert_int_equal(store_need_pool(store, &err), 0);
	t->fake->data_used = 1440; /* a tenth is free */
	assert_int_equal(create(store, &err), 0);
	assert_size(t, store, 100 * MIB, 2 * MIB);
	t->fake->data_used = 1441;
	assert_int_equal(create(store, &err), 0);
	assert_size(t, store, 200 * MIB, 2 * MIB);
	t->fake->data_used = 3000;
	assert_int_equal(create(store, &err), 0);
	assert_size(t, store, 250 * MIB, 2 * MIB);
	/* And no further. */
	t->fake->data_used = 3999;
	assert_int_equal(create(store, &err), -IMG_E_NO_SPACE);
	assert_size(t, store, 250 * MIB, 2 * MIB);
}

static void room_is_made_for_what_is_coming(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = NULL;
	struct img_err err = { 0 };

	t->options.sizes.max_bytes = GIB;
	store = temp_store_open(t);
	assert_int_equal(store_need_pool(store, &err), 0);
	capacity_make_room(store, 50 * MIB);
	assert_size(t, store, 100 * MIB, 2 * MIB);
	capacity_make_room(store, 300 * MIB);
	assert_true(store->sizes.data_bytes >= 300 * MIB);
	assert_size(t, store, store->sizes.data_bytes, 2 * MIB);
}

static void a_guard_grows_and_listens(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = NULL;
	img_auto(img_fd_release) int fd = -1;
	struct img_err err = { 0 };

	t->options.sizes.max_bytes = GIB;
	store = temp_store_open(t);
	assert_int_equal(store_need_pool(store, &err), 0);
	assert_int_equal(capacity_guard(store, &fd, &err), 0);
	assert_true(fd >= 0);
	assert_size(t, store, 100 * MIB, 2 * MIB);
	t->fake->data_used = 1590;
	assert_int_equal(capacity_guard(store, &fd, &err), 0);
	assert_size(t, store, 200 * MIB, 2 * MIB);
}

static void another_process_was_faster(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *first = temp_store_open(t);
	img_auto(store_close) struct store *second = temp_store_open(t);
	const struct grow_target target = { .data_bytes = 200 * MIB };
	struct img_err err = { 0 };

	assert_int_equal(capacity_grow(first, &target, &err), 0);
	/* It knows of 100 MiB still. */
	assert_int_equal(
		capacity_grow(second,
			      &(struct grow_target){ .data_bytes = 150 * MIB },
			      &err),
		0);
	assert_size(t, second, 200 * MIB, 2 * MIB);
}

static void a_full_pool_is_named(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	static const int errnos[] = { ENOSPC, EIO, EUCLEAN, EROFS };
	struct img_err err = { 0 };

	assert_int_equal(store_need_pool(store, &err), 0);
	for (size_t i = 0; i < IMG_COUNT(errnos); i++) {
		struct img_err failure = { 0 };

		t->fake->data_used = 3;
		(void)img_err_set(&failure, IMG_E_SYS, errnos[i], "mount");
		assert_int_equal(capacity_explain(store, &failure), -IMG_E_SYS);
		assert_null(strstr(failure.msg, "full"));
		t->fake->data_used = 1600;
		assert_int_equal(capacity_explain(store, &failure),
				 -IMG_E_NO_SPACE);
		assert_non_null(strstr(failure.msg, "the pool is full: 100 MiB "
						    "of 100 MiB"));
	}
	(void)img_err_set(&err, IMG_E_INPUT, 0, "nonsense");
	assert_int_equal(capacity_explain(store, &err), -IMG_E_INPUT);
	assert_null(strstr(err.msg, "full"));
}

static void nothing_shrinks(void **state)
{
	img_auto(store_close) struct store *store = temp_store_open(*state);
	static const struct grow_target wrong[] = {
		{ .data_bytes = 100 * MIB },	{ .data_bytes = 10 * MIB },
		{ .metadata_bytes = 2 * MIB },	{ .metadata_bytes = MIB },
		{ .metadata_bytes = 17 * GIB },
	};

	for (size_t i = 0; i < IMG_COUNT(wrong); i++) {
		struct img_err err = { 0 };

		assert_int_equal(capacity_grow(store, &wrong[i], &err),
				 -IMG_E_INPUT);
	}
	assert_size(*state, store, 100 * MIB, 2 * MIB);
}

static void bring_up(struct crash_case *c, struct store *store)
{
	struct img_err err = { 0 };

	assert_int_equal(store_need_pool(store, &err), 0);
}

static int grow(struct crash_case *c, struct store *store, struct img_err *err)
{
	const struct grow_target target = { .data_bytes = 200 * MIB,
					    .metadata_bytes = 8 * MIB };

	return capacity_grow(store, &target, err);
}

/* Whatever became of it: the next to look finishes what was recorded. */
static void as_recorded(struct crash_case *c, struct store *store,
			enum crash_end end)
{
	struct capacity_status status;
	struct img_err err = { 0 };

	assert_int_equal(capacity_status(store, &status, &err), 0);
	/* Its device may have been left half-made, for its next user. */
	assert_int_equal(ledger_put_store(store, &err), 0);
	if (end == CRASH_DONE || store->sizes.data_bytes != 100 * MIB)
		assert_size(c->t, store, 200 * MIB, 8 * MIB);
	else
		assert_size(c->t, store, 100 * MIB, 2 * MIB);
	assert_int_equal(status.usage.data_bytes, store->sizes.data_bytes);
	assert_int_equal(create(store, &err), 0);
}

static const struct crash_test growing = { bring_up, grow, as_recorded, NULL };

static void every_step_fails(void **state)
{
	assert_true(crash_at_every_step(&growing, FAULT_FAIL) > 10);
}

static void every_step_dies(void **state)
{
	assert_true(crash_at_every_step(&growing, FAULT_KILL) > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reserves_follow_the_size),
		test_in_store(below_the_reserve_nothing_is_made),
		test_in_store(so_for_metadata),
		test_in_store(a_pool_that_may_grows_first),
		test_in_store(room_is_made_for_what_is_coming),
		test_in_store(a_guard_grows_and_listens),
		test_in_store(another_process_was_faster),
		test_in_store(a_full_pool_is_named),
		test_in_store(nothing_shrinks),
		test_of_crash(every_step_fails),
		test_of_crash(every_step_dies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
