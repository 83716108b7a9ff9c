#include "storage/hold.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "storage/store_impl.h"
#include "storage/volume.h"
#include "tests/lib/crash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

static int count_dev(void *self, const struct thin_meta_dev *dev,
		     struct img_err *err)
{
	++*(unsigned *)self;
	return 0;
}

static unsigned count_devs(struct thin_meta *meta)
{
	struct img_err err = { 0 };
	unsigned n = 0;

	if (thin_meta_each_dev(meta, count_dev, &n, &err) < 0)
		fail_msg("%s", err.msg);
	return n;
}

static void take(struct store *store, struct hold *hold)
{
	struct img_err err = { 0 };

	if (hold_begin(store, hold, &err) < 0)
		fail_msg("%s", err.msg);
}

static void what_is_held_stays_as_it_is(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	struct hold hold = HOLD_NONE;
	uint32_t loose[] = { temp_store_add_volume(store), 0, 0 };

	take(store, &hold);
	assert_int_equal(count_devs(hold.meta), 1);
	loose[1] = temp_store_add_volume(store);
	assert_int_equal(count_devs(hold.meta), 1);
	assert_true(t->fake->is_held);
	hold_release(&hold);
	assert_false(t->fake->is_held);
	/* That is all there was. */
	hold_release(&hold);
	take(store, &hold);
	assert_int_equal(count_devs(hold.meta), 2);
	hold_release(&hold);
	temp_store_check(t, store, (uint32_t[]){ loose[0], loose[1], 0 }, NULL);
}

/* Returns how a process ended that took a hold and died with it. */
static void die_holding(struct temp_store *t)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		struct store *store = temp_store_open(t);
		struct hold hold = HOLD_NONE;
		struct img_err err = { 0 };

		_exit(hold_begin(store, &hold, &err) < 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_true(t->fake->is_held);
}

static void a_dead_one_is_let_go_by_the_next_open(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = NULL;

	die_holding(t);
	store = temp_store_open(t);
	assert_false(t->fake->is_held);
	temp_store_check(t, store, NULL, NULL);
}

/* Its intent went with the power, the snapshot is in the pool. */
static void a_lost_one_is_let_go_when_the_pool_comes_up(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = NULL;
	struct img_err err = { 0 };

	die_holding(t);
	t->fake->absent = true; /* keeps this open from seeing to it */
	store = temp_store_open(t);
	assert_true(db_run(store_db(store), &err, "DELETE FROM intents", "") >=
		    0);
	store_close(&store);
	t->fake->absent = false;
	fake_dm_reboot(t->fake);
	store = temp_store_open(t);
	assert_int_equal(store_need_pool(store, &err), 0);
	assert_false(t->fake->is_held);
	temp_store_check(t, store, NULL, NULL);
}

static void one_that_is_in_the_way_is_taken_over(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	struct hold hold = HOLD_NONE;

	(void)temp_store_add_volume(store);
	t->fake->is_held = true; /* of nobody, and it knows nothing */
	t->fake->n_held = 0;
	take(store, &hold);
	assert_int_equal(count_devs(hold.meta), 1);
	hold_release(&hold);
	assert_false(t->fake->is_held);
}

/* Who lives keeps it: another open leaves it alone. */
static void the_living_keep_it(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *ours = temp_store_open(t);
	img_auto(store_close) struct store *theirs = NULL;
	struct hold hold = HOLD_NONE;
	struct img_err err = { 0 };

	take(ours, &hold);
	theirs = temp_store_open(t);
	assert_true(t->fake->is_held);
	assert_int_equal(hold_drop_stale(theirs, &err), 0);
	assert_true(t->fake->is_held);
	hold_release(&hold);
	temp_store_check(t, theirs, NULL, NULL);
}

static void a_pool_that_stands_still_is_read_as_it_is(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	struct hold hold = HOLD_NONE;
	struct img_err err = { 0 };

	(void)temp_store_add_volume(store);
	t->fake->refuses = true;
	assert_int_equal(hold_begin(store, &hold, &err), -IMG_E_SYS);
	assert_non_null(strstr(err.msg, "send a message to"));
	(void)snprintf(t->fake->status, sizeof(t->fake->status),
		       "0 11/512 3/1600 - ro discard_passdown "
		       "error_if_no_space needs_check 1024");
	take(store, &hold);
	assert_false(hold.reserved);
	assert_int_equal(count_devs(hold.meta), 1);
	hold_release(&hold);
	t->fake->refuses = false;
	t->fake->status[0] = '\0';
	temp_store_check(t, store, (uint32_t[]){ 1, 0 }, NULL);
}

static void prepare(struct crash_case *c, struct store *store)
{
	c->volume[0] = temp_store_add_volume(store);
}

static int hold_and_release(struct crash_case *c, struct store *store,
			    struct img_err *err)
{
	img_auto(hold_release) struct hold hold = HOLD_NONE;
	int r = hold_begin(store, &hold, err);

	return r < 0 ? r : (int)(count_devs(hold.meta) != 1);
}

static void check(struct crash_case *c, struct store *store, enum crash_end end)
{
	uint32_t loose[] = { c->volume[0], 0 };

	temp_store_check(c->t, store, loose, NULL);
	assert_false(c->t->fake->is_held);
}

static const struct crash_test holding = {
	.prepare = prepare,
	.run = hold_and_release,
	.check = check,
};

static void every_step_dies(void **state)
{
	assert_true(crash_at_every_step(&holding, FAULT_KILL) >= 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_store(what_is_held_stays_as_it_is),
		test_in_store(a_dead_one_is_let_go_by_the_next_open),
		test_in_store(a_lost_one_is_let_go_when_the_pool_comes_up),
		test_in_store(one_that_is_in_the_way_is_taken_over),
		test_in_store(the_living_keep_it),
		test_in_store(a_pool_that_stands_still_is_read_as_it_is),
		test_of_crash(every_step_dies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
