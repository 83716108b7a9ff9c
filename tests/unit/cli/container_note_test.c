#include "cli/container.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "tests/lib/temp_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct container_row added(struct store *store)
{
	struct container_row row = {
		.name = "web",
		.image_name = (char *)(uintptr_t) "debian",
		.config = (char *)(uintptr_t) "{}",
	};
	struct img_err err = { 0 };

	memset(row.id.hex, 'a', ID_LEN);
	memset(row.image.hex, 'e', ID_LEN);
	if (volume_find(store, temp_store_add_volume(store), &row.volume,
			&err) < 0 ||
	    container_insert(store, &row, &err) < 0)
		fail_msg("%s", err.msg);
	return row;
}

/* True when a volume's note is there, under that name. */
static bool noted(struct store *store, uint32_t volume, const char *name)
{
	img_auto(container_row_release) struct container_row found = { 0 };

	return container_find_note(store, volume, &found) &&
	       strcmp(found.name, name) == 0;
}

static void the_last_note_counts(void **state)
{
	img_auto(temp_store_close) struct store *store =
		temp_store_open(*state);
	struct container_row row = added(store);

	assert_false(noted(store, row.volume.id, "web"));
	container_note(store, &row);
	assert_true(noted(store, row.volume.id, "web"));
	(void)snprintf(row.name, sizeof(row.name), "site");
	container_note_again(store, &row);
	assert_true(noted(store, row.volume.id, "site"));
	assert_false(noted(store, row.volume.id + 1, "site"));
}

static void of_what_is_gone_nothing_is_noted(void **state)
{
	img_auto(temp_store_close) struct store *store =
		temp_store_open(*state);
	img_auto(img_mem_release) char *dir = NULL;
	struct container_row row = added(store);
	struct img_err err = { 0 };

	container_note(store, &row);
	assert_int_equal(container_delete(store, &row, &err), 0);
	container_note_again(store, &row);
	dir = mem_printf("%s/containers/%s", store_root(store), row.id.hex);
	assert_int_equal(access(dir, F_OK), -1);
	assert_false(noted(store, row.volume.id, "web"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_store(the_last_note_counts),
		test_in_store(of_what_is_gone_nothing_is_noted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
