#include "storage/resize.h"

#include "base/num.h"
#include "tests/lib/temp_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int fail_to_grow(struct store *store, const char *node,
			uint64_t size_bytes, struct img_err *err)
{
	fail_msg("there is nothing to grow");
	return 0;
}

/* On the driver snapshot a volume that is no snapshot is a file by itself,
 * active or not. */
static void a_whole_volume_keeps_its_size(void **state)
{
	struct store *store;
	struct temp_store *t = *state;
	struct img_err err = { 0 };
	struct volume volume;
	uint32_t id;

	t->options.grow = fail_to_grow;
	store = temp_store_open(t);
	id = temp_store_add_volume(store);
	assert_int_equal(resize_volume(store, id, 256 * MIB, &err),
			 -IMG_E_UNSUPPORTED);
	assert_string_equal(err.msg, "on the driver 'snapshot' volumes keep "
				     "their size");
	err = (struct img_err){ 0 };
	assert_int_equal(volume_find(store, id, &volume, &err), 0);
	assert_int_equal(volume.size_bytes, 64 * MIB);
	assert_int_equal(volume.fs_bytes, 0);
	assert_int_equal(
		temp_store_count(store, "SELECT count(*) FROM intents"), 0);
	assert_int_equal(resize_check(store, &volume, &err),
			 -IMG_E_UNSUPPORTED);
	store_close(&store);
}

/* The same on a pool. */
static void a_thin_volume_does_not(void **state)
{
	struct store *store = temp_store_open(*state);
	struct img_err err = { 0 };
	struct volume volume;
	uint32_t id = temp_store_add_volume(store);

	assert_int_equal(volume_find(store, id, &volume, &err), 0);
	assert_int_equal(resize_check(store, &volume, &err), 0);
	store_close(&store);
}

static int setup(void **state)
{
	temp_store_driver = "snapshot";
	return temp_store_setup(state);
}

static int teardown(void **state)
{
	temp_store_driver = NULL;
	return temp_store_teardown(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_whole_volume_keeps_its_size,
						setup, teardown),
		test_in_store(a_thin_volume_does_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
