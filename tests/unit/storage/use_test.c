#include "storage/use.h"

#include "base/cleanup.h"
#include "tests/lib/crash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/*
 * What is mounted or handed out with no process of ours at work on it: the
 * fake kernel says whether a device is there and open.
 */

/* Begins a use of a new volume, as mount and activate do. */
static struct volume begin(struct store *store, enum use_kind kind)
{
	struct volume_pending pending = { 0 };
	struct volume volume;
	struct img_err err = { 0 };
	char node[VOLUME_NODE_MAX];
	uint32_t id = temp_store_add_volume(store);

	assert_int_equal(volume_find(store, id, &volume, &err), 0);
	if (kind == USE_VIEW)
		assert_int_equal(
			volume_snapshot(store, &volume, &pending, &err), 0);
	else
		assert_int_equal(use_begin(store, &volume, &pending, &err), 0);
	if (kind != USE_LOOK)
		assert_int_equal(use_turn(&pending, kind, &err), 0);
	volume = pending.volume;
	assert_int_equal(volume_activate(store, &volume, node, &err), 0);
	use_keep(&pending);
	return volume;
}

static size_t count(struct store *store, struct use *ret)
{
	img_auto(img_mem_release) struct use *list = NULL;
	struct img_err err = { 0 };
	size_t n = 0;

	assert_int_equal(use_list(store, &list, &n, &err), 0);
	if (n)
		*ret = list[0];
	return n;
}

static void reopen(struct temp_store *t, struct store **store)
{
	temp_store_close(store);
	*store = temp_store_open(t);
}

static void a_view_goes_when_nobody_has_it_open(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	const uint32_t loose[] = { 1, 0 };
	struct img_err err = { 0 };
	struct use use;

	(void)begin(store, USE_VIEW);
	fake_dm_find(t->fake, "2")->open_count = 1;
	reopen(t, &store);
	assert_int_equal(count(store, &use), 1);
	assert_int_equal(use.kind, USE_VIEW);
	assert_int_equal(use.volume.origin, 1);
	assert_int_equal(use_end(store, &use, &err), -IMG_E_BUSY);
	assert_true(fake_dm_has_thin(t->fake, 2));
	/* Unmounted by whoever it was. */
	fake_dm_find(t->fake, "2")->open_count = 0;
	assert_int_equal(count(store, &use), 0);
	reopen(t, &store);
	assert_false(fake_dm_has_thin(t->fake, 2));
	temp_store_check(t, store, loose, NULL);
}

static void a_look_goes_and_its_volume_stays(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	const uint32_t loose[] = { 1, 0 };
	struct use use;

	(void)begin(store, USE_LOOK);
	fake_dm_find(t->fake, "1")->open_count = 1;
	reopen(t, &store);
	assert_int_equal(count(store, &use), 1);
	assert_non_null(fake_dm_find(t->fake, "1"));
	fake_dm_find(t->fake, "1")->open_count = 0;
	reopen(t, &store);
	assert_null(fake_dm_find(t->fake, "1"));
	temp_store_check(t, store, loose, NULL);
}

static void what_is_active_stays_until_it_is_ended(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	const uint32_t loose[] = { 1, 0 };
	struct img_err err = { 0 };
	struct use use;

	(void)begin(store, USE_ACTIVE);
	reopen(t, &store);
	reopen(t, &store);
	assert_non_null(fake_dm_find(t->fake, "1"));
	assert_int_equal(count(store, &use), 1);
	assert_false(use.is_open);
	fake_dm_find(t->fake, "1")->open_count = 1;
	assert_int_equal(use_end(store, &use, &err), -IMG_E_BUSY);
	fake_dm_find(t->fake, "1")->open_count = 0;
	err = (struct img_err){ 0 };
	assert_int_equal(use_end(store, &use, &err), 0);
	assert_null(fake_dm_find(t->fake, "1"));
	temp_store_check(t, store, loose, NULL);
}

static void after_a_reboot_nothing_is_in_use(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	const uint32_t loose[] = { 1, 2, 4, 0 };
	struct use use;

	(void)begin(store, USE_ACTIVE);
	(void)begin(store, USE_VIEW); /* 3, of 2 */
	(void)begin(store, USE_LOOK);
	temp_store_close(&store);
	fake_dm_reboot(t->fake);
	store = temp_store_open(t);
	assert_int_equal(count(store, &use), 0);
	temp_store_check(t, store, loose, NULL);
}

static void what_is_in_use_is_not_removed(void **state)
{
	static const enum use_kind kinds[] = { USE_VIEW, USE_LOOK, USE_ACTIVE };
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);

	for (size_t i = 0; i < IMG_COUNT(kinds); i++) {
		struct volume volume = begin(store, kinds[i]);
		uint32_t whose = volume.origin ? volume.origin : volume.id;
		struct volume_pending pending = { 0 };
		struct img_err err = { 0 };
		struct use use;
		char what[16];

		(void)snprintf(what, sizeof(what), "%u", volume.id);
		fake_dm_find(t->fake, what)->open_count = 1;
		assert_int_equal(db_begin(store_db(store), false, &err), 0);
		assert_int_equal(volume_begin_delete(store, whose, &pending,
						     &err),
				 -IMG_E_BUSY);
		db_rollback(store_db(store));
		assert_non_null(
			strstr(err.msg, kinds[i] == USE_ACTIVE
						? "device is active"
						: "another mount namespace"));
		err = (struct img_err){ 0 };
		assert_int_equal(use_check_settled(store, whose, &err),
				 kinds[i] == USE_ACTIVE ? -IMG_E_BUSY : 0);
		err = (struct img_err){ 0 };
		fake_dm_find(t->fake, what)->open_count = 0;
		if (count(store, &use))
			assert_int_equal(use_end(store, &use, &err), 0);
		reopen(t, &store);
	}
}

static void prepare_volume(struct crash_case *c, struct store *store)
{
	c->volume[0] = temp_store_add_volume(store);
}

static int find(struct crash_case *c, struct store *store, struct volume *ret,
		struct img_err *err)
{
	return volume_find(store, c->volume[0], ret, err);
}

static int run_activate(struct crash_case *c, struct store *store,
			struct img_err *err)
{
	img_auto(use_drop) struct volume_pending pending = { 0 };
	char node[VOLUME_NODE_MAX];
	struct volume volume;
	int r = find(c, store, &volume, err);

	if (r == 0)
		r = use_begin(store, &volume, &pending, err);
	if (r == 0)
		r = volume_activate(store, &volume, node, err);
	if (r == 0)
		r = use_turn(&pending, USE_ACTIVE, err);
	if (r == 0)
		use_keep(&pending);
	return r;
}

static void check_activate(struct crash_case *c, struct store *store,
			   enum crash_end end)
{
	const uint32_t loose[] = { c->volume[0], 0 };
	struct img_err err = { 0 };
	struct use use;
	size_t n = count(store, &use);

	if (end != CRASH_DIED)
		assert_int_equal(n, end == CRASH_DONE);
	if (n)
		assert_int_equal(use_end(store, &use, &err), 0);
	temp_store_check(c->t, store, loose, NULL);
}

static void activating(void **state)
{
	const struct crash_test test = { prepare_volume, run_activate,
					 check_activate, NULL };

	assert_true(crash_at_every_step(&test, FAULT_FAIL) > 5);
	assert_true(crash_at_every_step(&test, FAULT_KILL) > 5);
}

/* Up to where the mount would be: nobody has it open, so all goes. */
static int run_view(struct crash_case *c, struct store *store,
		    struct img_err *err)
{
	img_auto(use_drop) struct volume_pending pending = { 0 };
	char node[VOLUME_NODE_MAX];
	struct volume volume;
	int r = find(c, store, &volume, err);

	if (r == 0)
		r = volume_copy(store, &volume, &pending, err);
	if (r == 0)
		r = volume_activate(store, &pending.volume, node, err);
	if (r == 0)
		r = use_turn(&pending, USE_VIEW, err);
	if (r == 0)
		use_keep(&pending);
	return r;
}

static void check_view(struct crash_case *c, struct store *store,
		       enum crash_end end)
{
	const uint32_t loose[] = { c->volume[0], 0 };

	temp_store_check(c->t, store, loose, NULL);
}

static void viewing(void **state)
{
	const struct crash_test test = { prepare_volume, run_view, check_view,
					 NULL };

	assert_true(crash_at_every_step(&test, FAULT_FAIL) > 5);
	assert_true(crash_at_every_step(&test, FAULT_KILL) > 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_store(a_view_goes_when_nobody_has_it_open),
		test_in_store(a_look_goes_and_its_volume_stays),
		test_in_store(what_is_active_stays_until_it_is_ended),
		test_in_store(after_a_reboot_nothing_is_in_use),
		test_in_store(what_is_in_use_is_not_removed),
		test_of_crash(activating),
		test_of_crash(viewing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
