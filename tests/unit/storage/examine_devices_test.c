#include "storage/examine.h"

#include "base/cleanup.h"
#include "image/image.h"
#include "storage/volume.h"
#include "tests/lib/examining.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void devices_of_nobody_are_found(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = examining_begin(t);
	struct volume volume;
	struct img_err err = { 0 };
	char node[VOLUME_NODE_MAX];

	assert_int_equal(volume_find(store, 2, &volume, &err), 0);
	assert_int_equal(volume_activate(store, &volume, node, &err), 0);
	fake_dm_find(t->fake, "2")->suspended = true;
	{
		img_auto(findings_release) struct findings found = { 0 };
		img_auto(img_mem_release) char *text = NULL;

		examining_look(store, &found);
		text = examining_list(&found);
		assert_non_null(strstr(text, "suspended-device: device img-"));
		assert_non_null(strstr(text, "stale-device: device img-"));
		assert_int_equal(found.n, 2);
		for (size_t i = 0; i < found.n; i++)
			assert_int_equal(found.all[i].mend(store, &found.all[i],
							   &err),
					 0);
	}
	examining_assert_well(store);
	assert_null(fake_dm_find(t->fake, "2"));
	/* One that is open is not taken from whoever has it. */
	assert_int_equal(volume_activate(store, &volume, node, &err), 0);
	fake_dm_find(t->fake, "2")->open_count = 1;
	{
		img_auto(findings_release) struct findings found = { 0 };

		examining_look(store, &found);
		assert_int_equal(found.n, 1);
		assert_string_equal(found.all[0].kind, "stale-device");
		assert_null(found.all[0].mend);
	}
	fake_dm_find(t->fake, "2")->open_count = 0;
	assert_int_equal(volume_deactivate(store, &volume, &err), 0);
	temp_store_check(t, store, (uint32_t[]){ 2, 0 }, NULL);
}

static void a_running_container_is_no_finding(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = examining_begin(t);
	img_auto(store_close) struct store *theirs = temp_store_open(t);
	struct volume_pending run = { 0 };
	struct volume volume;
	struct img_err err = { 0 };
	char node[VOLUME_NODE_MAX];

	assert_int_equal(volume_find(store, 2, &volume, &err), 0);
	assert_int_equal(volume_begin_run(theirs, &volume, &run, &err), 0);
	assert_int_equal(volume_activate(store, &volume, node, &err), 0);
	examining_assert_well(store);
	fake_dm_find(t->fake, "2")->len_sectors -= 8;
	{
		img_auto(findings_release) struct findings found = { 0 };

		examining_look(store, &found);
		assert_int_equal(found.n, 1);
		assert_string_equal(found.all[0].kind, "device-size");
	}
	assert_int_equal(volume_deactivate(store, &volume, &err), 0);
	assert_int_equal(volume_settle(&run, &err), 0);
	volume_keep(&run);
	temp_store_check(t, store, (uint32_t[]){ 2, 0 }, NULL);
}

/* On the driver snapshot the image's device is there with its container's. */
static void what_a_running_container_is_made_from_is_no_finding(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	img_auto(store_close) struct store *theirs = temp_store_open(t);
	img_auto(image_release) struct image image = { 0 };
	struct volume_pending run = { 0 };
	struct img_err err = { 0 };
	char node[VOLUME_NODE_MAX];

	(void)temp_store_add_image(store, "base");
	assert_int_equal(image_find(store, "base", &image, &err), 0);
	assert_int_equal(volume_snapshot(theirs, &image.volume, &run, &err), 0);
	assert_int_equal(volume_settle_running(&run, &err), 0);
	assert_int_equal(volume_activate(theirs, &run.volume, node, &err), 0);
	assert_non_null(fake_dm_find(t->fake, "1"));
	assert_int_equal(fake_dm_find(t->fake, "1")->open_count, 0);
	examining_assert_well(store);
	assert_int_equal(volume_deactivate(theirs, &run.volume, &err), 0);
	assert_int_equal(volume_settle(&run, &err), 0);
	volume_keep(&run);
	assert_null(fake_dm_find(t->fake, "1"));
	/* Without one it is nobody's. */
	assert_int_equal(volume_activate(store, &image.volume, node, &err), 0);
	{
		img_auto(findings_release) struct findings found = { 0 };

		examining_look(store, &found);
		assert_int_equal(found.n, 1);
		assert_string_equal(found.all[0].kind, "stale-device");
	}
	assert_int_equal(volume_deactivate(store, &image.volume, &err), 0);
}

static int setup_snapshot(void **state)
{
	int r;

	temp_store_driver = "snapshot";
	r = temp_store_setup(state);
	temp_store_driver = NULL;
	return r;
}

static void leaked_loops_are_found(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = examining_begin(t);
	unsigned n;

	examining_assert_well(store); /* brings the pool up */
	n = t->fake->loops++;
	(void)snprintf(t->fake->loop[n], sizeof(t->fake->loop[n]),
		       "%s/pool/data", t->root);
	/* And one of somebody else. */
	(void)snprintf(t->fake->loop[t->fake->loops++],
		       sizeof(t->fake->loop[0]), "/elsewhere/pool/data");
	{
		char expect[40];

		(void)snprintf(expect, sizeof(expect), "leaked-loop: loop%u\n",
			       n);
		examining_find_and_mend(store, expect);
	}
	assert_string_equal(t->fake->loop[n], "");
	assert_string_equal(t->fake->loop[n + 1], "/elsewhere/pool/data");
}

static void a_stale_hold_is_found(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = examining_begin(t);

	t->fake->is_held = true;
	fake_dm_add_thin(t->fake, 9); /* commits */
	examining_find_and_mend(store,
				"stale-hold: metadata\norphan: volume 9\n");
	assert_false(t->fake->is_held);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_store(devices_of_nobody_are_found),
		test_in_store(a_running_container_is_no_finding),
		cmocka_unit_test_setup_teardown(
			what_a_running_container_is_made_from_is_no_finding,
			setup_snapshot, temp_store_teardown),
		test_in_store(leaked_loops_are_found),
		test_in_store(a_stale_hold_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
