#include "storage/examine.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "image/image.h"
#include "storage/ledger.h"
#include "storage/store_impl.h"
#include "storage/volume.h"
#include "tests/lib/examining.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void a_sound_store_is_well(void **state)
{
	img_auto(store_close) struct store *store = examining_begin(*state);

	examining_assert_well(store);
}

static void an_empty_store_is_well(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);

	store_close(&store);
	store = examining_open(t);
	examining_assert_well(store);
}

static void orphans_and_missing_volumes_are_found(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = examining_begin(t);

	fake_dm_add_thin(t->fake, 9);
	examining_find_and_mend(store, "orphan: volume 9\n");
	assert_false(fake_dm_has_thin(t->fake, 9));
	fake_dm_remove_thin(t->fake, 2);
	examining_find_and_mend(store, "missing-volume: volume 2\n");
	temp_store_check(t, store, NULL, NULL);
}

static void a_lost_image_is_for_a_person(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = examining_begin(t);
	img_auto(findings_release) struct findings found = { 0 };
	img_auto(img_mem_release) char *text = NULL;

	fake_dm_remove_thin(t->fake, 1);
	examining_look(store, &found);
	text = examining_list(&found);
	assert_string_equal(text, "missing-volume: volume 1\n");
	assert_null(found.all[0].mend);
	assert_non_null(strstr(found.all[0].remedy, "img rmi"));
}

static void intents_of_the_dead_are_found(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = examining_begin(t);
	img_auto(store_close) struct store *theirs = temp_store_open(t);
	struct volume_pending living = { 0 };
	struct img_err err = { 0 };

	assert_int_equal(volume_create(theirs, 1 << 20, &living, &err), 0);
	examining_run_sql(store, "INSERT INTO intents (id, op, volume)"
				 " VALUES (1000, 'delete', 2)");
	examining_find_and_mend(store, "stale-intent: intent 1000\n");
	assert_false(fake_dm_has_thin(t->fake, 2));
	assert_true(fake_dm_has_thin(t->fake, living.volume.id));
	volume_pending_release(&living);
	temp_store_check(t, store, NULL, NULL);
}

static void ledger_and_catalog_are_compared(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = examining_begin(t);
	img_auto(image_release) struct image image = { 0 };
	img_auto(img_mem_release) char *expect = NULL;
	struct img_err err = { 0 };

	assert_int_equal(image_find(store, "a:1", &image, &err), 0);
	/* A name that only the catalog has. */
	examining_run_sql(store,
			  "INSERT INTO names SELECT 'b', '2', id FROM images");
	expect = mem_printf("record-differs: image %.12s\n", image.id.hex);
	examining_find_and_mend(store, expect);
	/* An image without a record. */
	img_mem_release(&expect);
	assert_int_equal(ledger_drop(store, 1, &err), 0);
	expect = mem_printf("unrecorded-image: image %.12s\n", image.id.hex);
	examining_find_and_mend(store, expect);
	/* A record without an image. */
	examining_run_sql(store, "DELETE FROM images");
	examining_run_sql(store, "DELETE FROM volumes WHERE id = 1");
	examining_find_and_mend(store, "lost-image: volume 1\n");
	image_release(&image);
	assert_int_equal(image_find(store, "b:2", &image, &err), 0);
	/* A record of what is not there. */
	assert_int_equal(ledger_put(store,
				    &(struct ledger_record){ .volume = 50,
							     .json = "{}" },
				    &err),
			 0);
	examining_find_and_mend(store, "stray-record: volume 50\n");
	temp_store_check(t, store, (uint32_t[]){ 2, 0 }, NULL);
}

static void settings_are_compared(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = examining_begin(t);

	examining_run_sql(store, "INSERT INTO settings VALUES ('more', '1')");
	examining_find_and_mend(store, "store-unrecorded: ledger\n");
}

static void a_damaged_ledger_is_written_anew(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = examining_begin(t);
	img_auto(img_mem_release) char *path =
		mem_printf("%s/thin-0", t->thins);
	img_auto(img_fd_release) int fd = open(path, O_WRONLY | O_CLOEXEC);
	img_auto(findings_release) struct findings found = { 0 };
	struct img_err err = { 0 };

	assert_int_equal(pwrite(fd, "x", 1, 32 << 20), 1);
	examining_look(store, &found);
	assert_true(found.n >= 1);
	for (size_t i = 0; i < found.n; i++)
		if (strcmp(found.all[i].kind, "ledger-damaged") == 0)
			assert_int_equal(found.all[i].mend(store, &found.all[i],
							   &err),
					 0);
	examining_assert_well(store);
	temp_store_check(t, store, (uint32_t[]){ 2, 0 }, NULL);
}

static void a_pool_in_need_is_told_of(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = examining_begin(t);
	img_auto(findings_release) struct findings found = { 0 };

	(void)snprintf(t->fake->status, sizeof(t->fake->status),
		       "0 11/512 3/1600 - ro discard_passdown "
		       "error_if_no_space needs_check 1024");
	examining_look(store, &found);
	assert_int_equal(found.n, 1);
	assert_string_equal(found.all[0].kind, "needs-check");
	assert_non_null(strstr(found.all[0].remedy,
			       "thin_check --clear-needs-check-flag"));
	assert_null(found.all[0].mend);
}

static void damaged_metadata_hides_nothing_else(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = examining_begin(t);
	img_auto(findings_release) struct findings found = { 0 };
	img_auto(img_mem_release) char *path =
		mem_printf("%s/pool/metadata", t->root);
	img_auto(img_fd_release) int fd = open(path, O_WRONLY | O_CLOEXEC);
	img_auto(img_mem_release) char *text = NULL;

	examining_assert_well(store);
	examining_run_sql(store, "INSERT INTO intents (id, op, volume)"
				 " VALUES (1000, 'nonsense', 2)");
	/* Of a node that all volumes share. */
	assert_int_equal(pwrite(fd, "x", 1, 9 * 4096 + 100), 1);
	examining_look(store, &found);
	text = examining_list(&found);
	assert_non_null(strstr(text, "stale-intent: intent 1000\n"));
	assert_non_null(strstr(text, "metadata-damaged: volume 0\n"));
}

static void without_device_mapper_it_fails(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = examining_begin(t);
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
		test_in_store(ledger_and_catalog_are_compared),
		test_in_store(settings_are_compared),
		test_in_store(a_damaged_ledger_is_written_anew),
		test_in_store(a_pool_in_need_is_told_of),
		test_in_store(damaged_metadata_hides_nothing_else),
		test_in_store(without_device_mapper_it_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
