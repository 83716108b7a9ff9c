#include "storage/examine.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "image/adopt.h"
#include "image/examine.h"
#include "image/image.h"
#include "storage/ledger.h"
#include "storage/store_impl.h"
#include "storage/volume.h"
#include "tests/lib/temp_store.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct store *open_to_examine(struct temp_store *t)
{
	struct store *store;

	t->options.examine = true;
	t->options.adopt = image_adopt;
	store = temp_store_open(t);
	t->options.examine = false;
	return store;
}

static void look(struct store *store, struct findings *ret)
{
	struct img_err err = { 0 };

	if (examine_store(store, ret, &err) < 0 ||
	    image_examine(store, ret, &err) < 0)
		fail_msg("%s", err.msg);
}

static char *list(const struct findings *findings)
{
	struct str out = { 0 };

	for (size_t i = 0; i < findings->n; i++)
		str_addf(&out, "%s: %s\n", findings->all[i].kind,
			 findings->all[i].object);
	return str_take(&out);
}

static void run_sql(struct store *store, const char *sql)
{
	struct img_err err = { 0 };

	if (db_run(store_db(store), &err, sql, "") < 0)
		fail_msg("%s", err.msg);
}

static void assert_well(struct store *store)
{
	img_auto(findings_release) struct findings found = { 0 };
	img_auto(img_mem_release) char *text = NULL;

	look(store, &found);
	text = list(&found);
	assert_string_equal(text, "");
}

/* Finds just that; mends it, and then all is well. */
static void find_and_mend(struct store *store, const char *expect)
{
	img_auto(findings_release) struct findings found = { 0 };
	img_auto(img_mem_release) char *text = NULL;

	look(store, &found);
	text = list(&found);
	assert_string_equal(text, expect);
	for (size_t i = 0; i < found.n; i++) {
		struct img_err err = { 0 };

		assert_true(found.all[i].text[0] && found.all[i].remedy[0]);
		assert_non_null(found.all[i].mend);
		if (found.all[i].mend(store, &found.all[i], &err) < 0)
			fail_msg("%s: %s", found.all[i].kind, err.msg);
	}
	assert_well(store);
}

/* Two volumes: 1 is an image's, 2 is whole and of nobody storage/ knows. */
static struct store *begin(struct temp_store *t)
{
	struct store *store = temp_store_open(t);

	(void)temp_store_add_image(store, "a:1");
	(void)temp_store_add_volume(store);
	store_close(&store);
	return open_to_examine(t);
}

static void a_sound_store_is_well(void **state)
{
	img_auto(store_close) struct store *store = begin(*state);

	assert_well(store);
}

static void an_empty_store_is_well(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);

	store_close(&store);
	store = open_to_examine(t);
	assert_well(store);
}

static void orphans_and_missing_volumes_are_found(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = begin(t);

	fake_dm_add_thin(t->fake, 9);
	find_and_mend(store, "orphan: volume 9\n");
	assert_false(fake_dm_has_thin(t->fake, 9));
	fake_dm_remove_thin(t->fake, 2);
	find_and_mend(store, "missing-volume: volume 2\n");
	temp_store_check(t, store, NULL, NULL);
}

static void a_lost_image_is_for_a_person(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = begin(t);
	img_auto(findings_release) struct findings found = { 0 };
	img_auto(img_mem_release) char *text = NULL;

	fake_dm_remove_thin(t->fake, 1);
	look(store, &found);
	text = list(&found);
	assert_string_equal(text, "missing-volume: volume 1\n");
	assert_null(found.all[0].mend);
	assert_non_null(strstr(found.all[0].remedy, "img rmi"));
}

static void intents_of_the_dead_are_found(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = begin(t);
	img_auto(store_close) struct store *theirs = temp_store_open(t);
	struct volume_pending living = { 0 };
	struct img_err err = { 0 };

	assert_int_equal(volume_create(theirs, 1 << 20, &living, &err), 0);
	run_sql(store, "INSERT INTO intents (id, op, volume)"
		       " VALUES (1000, 'delete', 2)");
	find_and_mend(store, "stale-intent: intent 1000\n");
	assert_false(fake_dm_has_thin(t->fake, 2));
	assert_true(fake_dm_has_thin(t->fake, living.volume.id));
	volume_pending_release(&living);
	temp_store_check(t, store, NULL, NULL);
}

static void devices_of_nobody_are_found(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = begin(t);
	struct volume volume;
	struct img_err err = { 0 };
	char node[VOLUME_NODE_MAX];

	assert_int_equal(volume_find(store, 2, &volume, &err), 0);
	assert_int_equal(volume_activate(store, &volume, node, &err), 0);
	fake_dm_find(t->fake, "2")->suspended = true;
	{
		img_auto(findings_release) struct findings found = { 0 };
		img_auto(img_mem_release) char *text = NULL;

		look(store, &found);
		text = list(&found);
		assert_non_null(strstr(text, "suspended-device: device img-"));
		assert_non_null(strstr(text, "stale-device: device img-"));
		assert_int_equal(found.n, 2);
		for (size_t i = 0; i < found.n; i++)
			assert_int_equal(found.all[i].mend(store, &found.all[i],
							   &err),
					 0);
	}
	assert_well(store);
	assert_null(fake_dm_find(t->fake, "2"));
	/* One that is open is not taken from whoever has it. */
	assert_int_equal(volume_activate(store, &volume, node, &err), 0);
	fake_dm_find(t->fake, "2")->open_count = 1;
	{
		img_auto(findings_release) struct findings found = { 0 };

		look(store, &found);
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
	img_auto(store_close) struct store *store = begin(t);
	img_auto(store_close) struct store *theirs = temp_store_open(t);
	struct volume_pending run = { 0 };
	struct volume volume;
	struct img_err err = { 0 };
	char node[VOLUME_NODE_MAX];

	assert_int_equal(volume_find(store, 2, &volume, &err), 0);
	assert_int_equal(volume_begin_run(theirs, &volume, &run, &err), 0);
	assert_int_equal(volume_activate(store, &volume, node, &err), 0);
	assert_well(store);
	fake_dm_find(t->fake, "2")->len_sectors -= 8;
	{
		img_auto(findings_release) struct findings found = { 0 };

		look(store, &found);
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
	assert_well(store);
	assert_int_equal(volume_deactivate(theirs, &run.volume, &err), 0);
	assert_int_equal(volume_settle(&run, &err), 0);
	volume_keep(&run);
	assert_null(fake_dm_find(t->fake, "1"));
	/* Without one it is nobody's. */
	assert_int_equal(volume_activate(store, &image.volume, node, &err), 0);
	{
		img_auto(findings_release) struct findings found = { 0 };

		look(store, &found);
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
	img_auto(store_close) struct store *store = begin(t);
	unsigned n;

	assert_well(store); /* brings the pool up */
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
		find_and_mend(store, expect);
	}
	assert_string_equal(t->fake->loop[n], "");
	assert_string_equal(t->fake->loop[n + 1], "/elsewhere/pool/data");
}

static void a_stale_hold_is_found(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = begin(t);

	t->fake->is_held = true;
	fake_dm_add_thin(t->fake, 9); /* commits */
	find_and_mend(store, "stale-hold: metadata\norphan: volume 9\n");
	assert_false(t->fake->is_held);
}

static void ledger_and_catalog_are_compared(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = begin(t);
	img_auto(image_release) struct image image = { 0 };
	img_auto(img_mem_release) char *expect = NULL;
	struct img_err err = { 0 };

	assert_int_equal(image_find(store, "a:1", &image, &err), 0);
	/* A name that only the catalog has. */
	run_sql(store, "INSERT INTO names SELECT 'b', '2', id FROM images");
	expect = mem_printf("record-differs: image %.12s\n", image.id.hex);
	find_and_mend(store, expect);
	/* An image without a record. */
	img_mem_release(&expect);
	assert_int_equal(ledger_drop(store, 1, &err), 0);
	expect = mem_printf("unrecorded-image: image %.12s\n", image.id.hex);
	find_and_mend(store, expect);
	/* A record without an image. */
	run_sql(store, "DELETE FROM images");
	run_sql(store, "DELETE FROM volumes WHERE id = 1");
	find_and_mend(store, "lost-image: volume 1\n");
	image_release(&image);
	assert_int_equal(image_find(store, "b:2", &image, &err), 0);
	/* A record of what is not there. */
	assert_int_equal(ledger_put(store,
				    &(struct ledger_record){ .volume = 50,
							     .json = "{}" },
				    &err),
			 0);
	find_and_mend(store, "stray-record: volume 50\n");
	temp_store_check(t, store, (uint32_t[]){ 2, 0 }, NULL);
}

static void settings_are_compared(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = begin(t);

	run_sql(store, "INSERT INTO settings VALUES ('more', '1')");
	find_and_mend(store, "store-unrecorded: ledger\n");
}

static void a_damaged_ledger_is_written_anew(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = begin(t);
	img_auto(img_mem_release) char *path =
		mem_printf("%s/thin-0", t->thins);
	img_auto(img_fd_release) int fd = open(path, O_WRONLY | O_CLOEXEC);
	img_auto(findings_release) struct findings found = { 0 };
	struct img_err err = { 0 };

	assert_int_equal(pwrite(fd, "x", 1, 32 << 20), 1);
	look(store, &found);
	assert_true(found.n >= 1);
	for (size_t i = 0; i < found.n; i++)
		if (strcmp(found.all[i].kind, "ledger-damaged") == 0)
			assert_int_equal(found.all[i].mend(store, &found.all[i],
							   &err),
					 0);
	assert_well(store);
	temp_store_check(t, store, (uint32_t[]){ 2, 0 }, NULL);
}

static void a_pool_in_need_is_told_of(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = begin(t);
	img_auto(findings_release) struct findings found = { 0 };

	(void)snprintf(t->fake->status, sizeof(t->fake->status),
		       "0 11/512 3/1600 - ro discard_passdown "
		       "error_if_no_space needs_check 1024");
	look(store, &found);
	assert_int_equal(found.n, 1);
	assert_string_equal(found.all[0].kind, "needs-check");
	assert_non_null(strstr(found.all[0].remedy,
			       "thin_check --clear-needs-check-flag"));
	assert_null(found.all[0].mend);
}

static void damaged_metadata_hides_nothing_else(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = begin(t);
	img_auto(findings_release) struct findings found = { 0 };
	img_auto(img_mem_release) char *path =
		mem_printf("%s/pool/metadata", t->root);
	img_auto(img_fd_release) int fd = open(path, O_WRONLY | O_CLOEXEC);
	img_auto(img_mem_release) char *text = NULL;

	assert_well(store);
	run_sql(store, "INSERT INTO intents (id, op, volume)"
		       " VALUES (1000, 'nonsense', 2)");
	/* Of a node that all volumes share. */
	assert_int_equal(pwrite(fd, "x", 1, 9 * 4096 + 100), 1);
	look(store, &found);
	text = list(&found);
	assert_non_null(strstr(text, "stale-intent: intent 1000\n"));
	assert_non_null(strstr(text, "metadata-damaged: volume 0\n"));
}

static void without_device_mapper_it_fails(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = begin(t);
	img_auto(findings_release) struct findings found = { 0 };
	struct img_err err = { 0 };

	t->fake->absent = true;
	assert_int_equal(examine_store(store, &found, &err), -IMG_E_NO_DM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_store(a_sound_store_is_well),
		test_in_store(an_empty_store_is_well),
		test_in_store(orphans_and_missing_volumes_are_found),
		test_in_store(a_lost_image_is_for_a_person),
		test_in_store(intents_of_the_dead_are_found),
		test_in_store(devices_of_nobody_are_found),
		test_in_store(a_running_container_is_no_finding),
		cmocka_unit_test_setup_teardown(
			what_a_running_container_is_made_from_is_no_finding,
			setup_snapshot, temp_store_teardown),
		test_in_store(leaked_loops_are_found),
		test_in_store(a_stale_hold_is_found),
		test_in_store(ledger_and_catalog_are_compared),
		test_in_store(settings_are_compared),
		test_in_store(a_damaged_ledger_is_written_anew),
		test_in_store(a_pool_in_need_is_told_of),
		test_in_store(damaged_metadata_hides_nothing_else),
		test_in_store(without_device_mapper_it_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
