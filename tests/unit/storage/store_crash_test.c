#include "storage/store.h"

#include "tests/lib/crash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/*
 * A store is made, brought up and taken down, and at every step of that
 * something fails or the process dies.
 */

#define ORPHAN 40u

static void prepare_no_store(struct crash_case *c)
{
}

static int run_make(struct crash_case *c, struct store *none,
		    struct img_err *err)
{
	struct store *store = NULL;
	int r = store_open(&c->t->options, &store, err);

	store_close(&store);
	return r;
}

/* Whatever was left of the first try, it works now. */
static void check_make(struct crash_case *c, struct store *store,
		       enum crash_end end)
{
	temp_store_check(c->t, store, NULL, NULL);
	(void)temp_store_add_image(store, "a");
	temp_store_check(c->t, store, NULL, NULL);
}

static void making(void **state)
{
	const struct crash_test test = { NULL, run_make, check_make,
					 prepare_no_store };

	crash_every_way(&test);
}

/* A power cut took the rows of a container, and the devices. */
static void prepare_reboot(struct crash_case *c, struct store *store)
{
	(void)temp_store_add_image(store, "a");
	c->volume[0] = temp_store_add_volume(store);
	fake_dm_add_thin(c->t->fake, ORPHAN);
	fake_dm_reboot(c->t->fake);
}

static int run_up(struct crash_case *c, struct store *store,
		  struct img_err *err)
{
	return store_need_pool(store, err);
}

static void check_up(struct crash_case *c, struct store *store,
		     enum crash_end end)
{
	uint32_t loose[2] = { c->volume[0], 0 };

	if (end == CRASH_DONE)
		assert_non_null(fake_dm_find(c->t->fake, "pool"));
	temp_store_check(c->t, store, loose, NULL);
	assert_false(fake_dm_has_thin(c->t->fake, ORPHAN));
}

static void bringing_up_after_a_power_cut(void **state)
{
	const struct crash_test test = { prepare_reboot, run_up, check_up,
					 NULL };

	crash_every_way(&test);
}

static void prepare_image(struct crash_case *c, struct store *store)
{
	(void)temp_store_add_image(store, "a");
}

static int run_stop(struct crash_case *c, struct store *store,
		    struct img_err *err)
{
	return store_stop(store, err);
}

static void check_stop(struct crash_case *c, struct store *store,
		       enum crash_end end)
{
	if (end == CRASH_DONE)
		assert_int_equal(fake_dm_count_devices(c->t->fake), 0);
	temp_store_check(c->t, store, NULL, NULL);
}

static void stopping(void **state)
{
	const struct crash_test test = { prepare_image, run_stop, check_stop,
					 NULL };

	crash_every_way(&test);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_of_crash(making),
		test_of_crash(bringing_up_after_a_power_cut),
		test_of_crash(stopping),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
