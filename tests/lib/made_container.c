#include "tests/lib/made_container.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct container_row made_container_row(struct store *store, char letter,
					const char *name)
{
	struct container_row row = {
		.created_ns = letter,
		.image_name = (char *)(uintptr_t) "debian",
		.config = (char *)(uintptr_t) "{}",
	};
	struct img_err err = { 0 };

	memset(row.id.hex, letter, ID_LEN);
	memset(row.image.hex, 'e', ID_LEN);
	(void)snprintf(row.name, sizeof(row.name), "%s", name);
	if (volume_find(store, temp_store_add_volume(store), &row.volume,
			&err) < 0)
		fail_msg("%s", err.msg);
	return row;
}

struct container_row made_container(struct store *store, char letter,
				    const char *name)
{
	struct container_row row = made_container_row(store, letter, name);
	struct img_err err = { 0 };

	if (container_insert(store, &row, &err) < 0)
		fail_msg("%s", err.msg);
	return row;
}

void made_container_find(struct store *store, const char *ref,
			 struct container_row *ret)
{
	struct img_err err = { 0 };

	if (container_find(store, ref, ret, &err) < 0)
		fail_msg("%s", err.msg);
}

void assert_no_container(struct store *store, const char *ref,
			 enum img_code code, const char *message)
{
	img_auto(container_row_release) struct container_row row = { 0 };
	struct img_err err = { 0 };

	assert_int_equal(container_find(store, ref, &row, &err), -(int)code);
	assert_string_equal(err.msg, message);
}
