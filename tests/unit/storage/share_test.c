#include "storage/share.h"

#include "base/cleanup.h"
#include "tests/lib/crash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/*
 * Several who have a volume: each opened the store by itself, as processes do,
 * and the fake kernel says whether the device is there.
 */

/* As the start of a container does. */
static bool begin(struct store *store, uint32_t id,
		  struct volume_pending *share)
{
	struct img_err err = { 0 };
	char node[VOLUME_NODE_MAX];
	bool alone = false;

	assert_int_equal(share_begin(store, id, share, &alone, &err), 0);
	assert_int_equal(volume_activate(store, &share->volume, node, &err), 0);
	return alone;
}

static void admit(struct volume_pending *share)
{
	struct img_err err = { 0 };

	assert_int_equal(share_admit(share, &err), 0);
}

static void end(struct volume_pending *share)
{
	struct img_err err = { 0 };

	assert_int_equal(share_end(share, &err), 0);
	assert_null(share->store);
}

static void the_last_removes_the_device(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *one = temp_store_open(t);
	img_auto(store_close) struct store *other = temp_store_open(t);
	struct volume_pending a = { 0 }, b = { 0 };
	const uint32_t loose[] = { temp_store_add_volume(one), 0 };

	assert_true(begin(one, loose[0], &a));
	admit(&a);
	assert_false(begin(other, loose[0], &b));
	end(&a);
	assert_non_null(fake_dm_find(t->fake, "1"));
	end(&b);
	assert_null(fake_dm_find(t->fake, "1"));
	temp_store_check(t, one, loose, NULL);
}

static void one_process_may_have_it_twice(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	struct volume_pending a = { 0 }, b = { 0 };
	const uint32_t loose[] = { temp_store_add_volume(store), 0 };

	(void)begin(store, loose[0], &a);
	admit(&a);
	(void)begin(store, loose[0], &b);
	admit(&b);
	end(&b);
	assert_non_null(fake_dm_find(t->fake, "1"));
	end(&a);
	temp_store_check(t, store, loose, NULL);
}

static void what_the_dead_had_is_ended_by_the_next_open(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *dead = temp_store_open(t);
	img_auto(store_close) struct store *alive = temp_store_open(t);
	img_auto(store_close) struct store *next = NULL;
	struct volume_pending a = { 0 }, b = { 0 };
	const uint32_t loose[] = { temp_store_add_volume(dead), 0 };

	(void)begin(dead, loose[0], &a);
	admit(&a);
	(void)begin(alive, loose[0], &b);
	store_close(&dead);
	/* The other one still has it. */
	next = temp_store_open(t);
	assert_non_null(fake_dm_find(t->fake, "1"));
	assert_int_equal(temp_store_count(next, "SELECT count(*) FROM intents"),
			 1);
	store_close(&alive);
	store_close(&next);
	next = temp_store_open(t);
	assert_null(fake_dm_find(t->fake, "1"));
	temp_store_check(t, next, loose, NULL);
}

static void who_is_alone_died(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	struct volume_pending a = { 0 };
	const uint32_t loose[] = { temp_store_add_volume(store), 0 };

	assert_true(begin(store, loose[0], &a));
	temp_store_close(&store);
	store = temp_store_open(t);
	temp_store_check(t, store, loose, NULL);
	assert_true(begin(store, loose[0], &a));
	end(&a);
}

static void a_shared_volume_is_not_removed(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *one = temp_store_open(t);
	img_auto(store_close) struct store *other = temp_store_open(t);
	struct volume_pending a = { 0 }, gone = { 0 };
	struct img_err err = { 0 };
	const uint32_t loose[] = { temp_store_add_volume(one), 0 };

	(void)begin(one, loose[0], &a);
	assert_int_equal(db_begin(store_db(other), false, &err), 0);
	assert_int_equal(volume_begin_delete(other, loose[0], &gone, &err),
			 -IMG_E_BUSY);
	assert_string_equal(err.msg, "another process is using it");
	db_rollback(store_db(other));
	end(&a);
	temp_store_check(t, one, loose, NULL);
}

static void a_device_that_is_busy_is_waited_for(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	struct volume_pending a = { 0 };
	const uint32_t loose[] = { temp_store_add_volume(store), 0 };

	(void)begin(store, loose[0], &a);
	t->fake->busy_removals = 3;
	end(&a);
	temp_store_check(t, store, loose, NULL);
}

static void one_that_is_gone_is_told(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	struct volume_pending a = { 0 };
	struct img_err err = { 0 };
	bool alone;

	assert_int_equal(share_begin(store, 77, &a, &alone, &err),
			 -IMG_E_NOT_FOUND);
	assert_string_equal(err.msg, "there is no volume 77");
	assert_int_equal(share_end(&a, &err), 0); /* was never begun */
}

static void prepare_volume(struct crash_case *c, struct store *store)
{
	c->volume[0] = temp_store_add_volume(store);
}

static int run_share(struct crash_case *c, struct store *store,
		     struct img_err *err)
{
	struct volume_pending share = { 0 };
	struct img_err end_err = { 0 };
	char node[VOLUME_NODE_MAX];
	bool alone;
	int ended, r = share_begin(store, c->volume[0], &share, &alone, err);

	if (r == 0)
		r = volume_activate(store, &share.volume, node, err);
	if (r == 0)
		r = share_admit(&share, err);
	ended = share_end(&share, &end_err);
	if (r == 0 && ended < 0) {
		*err = end_err;
		r = ended;
	}
	return r;
}

static void check_share(struct crash_case *c, struct store *store,
			enum crash_end end_)
{
	const uint32_t loose[] = { c->volume[0], 0 };

	temp_store_check(c->t, store, loose, NULL);
}

static void sharing(void **state)
{
	const struct crash_test test = { prepare_volume, run_share, check_share,
					 NULL };

	assert_true(crash_at_every_step(&test, FAULT_FAIL) > 5);
	assert_true(crash_at_every_step(&test, FAULT_KILL) > 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_store(the_last_removes_the_device),
		test_in_store(one_process_may_have_it_twice),
		test_in_store(what_the_dead_had_is_ended_by_the_next_open),
		test_in_store(who_is_alone_died),
		test_in_store(a_shared_volume_is_not_removed),
		test_in_store(a_device_that_is_busy_is_waited_for),
		test_in_store(one_that_is_gone_is_told),
		test_of_crash(sharing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
