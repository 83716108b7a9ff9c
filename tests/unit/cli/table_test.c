#include "cli/table.h"

#include "base/cleanup.h"
#include "tests/lib/capture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char *const heading[] = { "NAME", "SIZE" };

static void columns_are_as_wide_as_needed(void **state)
{
	img_auto(table_release) struct table table;
	img_auto(img_mem_release) char *text = NULL;

	table_init(&table, 2, heading);
	table_add(&table, (const char *const[]){ "a", "1" });
	table_add(&table, (const char *const[]){ "a-long-name", "" });
	capture_begin();
	table_print(&table, false);
	text = capture_end();
	assert_string_equal(text, "NAME          SIZE\n"
				  "a             1\n"
				  "a-long-name   \n");
}

/* Without its heading a table is no wider than what is in it. */
static void a_bare_table(void **state)
{
	img_auto(table_release) struct table table;
	img_auto(img_mem_release) char *text = NULL;

	table_init(&table, 2, heading);
	table_add(&table, (const char *const[]){ "a", "1" });
	capture_begin();
	table_print(&table, true);
	text = capture_end();
	assert_string_equal(text, "a   1\n");
}

static void characters_count_not_bytes(void **state)
{
	img_auto(table_release) struct table table;
	img_auto(img_mem_release) char *text = NULL;

	table_init(&table, 2, heading);
	table_add(&table, (const char *const[]){ "\xc3\xa4\xe2\x82\xac", "1" });
	capture_begin();
	table_print(&table, false);
	text = capture_end();
	assert_string_equal(text, "NAME   SIZE\n"
				  "\xc3\xa4\xe2\x82\xac     1\n");
}

static void many_rows(void **state)
{
	img_auto(table_release) struct table table;
	img_auto(img_mem_release) char *text = NULL;
	size_t lines = 0;

	table_init(&table, 2, heading);
	for (int i = 0; i < 1000; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "%d", i);
		table_add(&table, (const char *const[]){ name, "x" });
	}
	capture_begin();
	table_print(&table, true);
	text = capture_end();
	for (const char *s = text; (s = strchr(s, '\n')) != NULL; s++)
		lines++;
	assert_int_equal(lines, 1000);
	assert_non_null(strstr(text, "\n999   x\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_as_wide_as_needed),
		cmocka_unit_test(a_bare_table),
		cmocka_unit_test(characters_count_not_bytes),
		cmocka_unit_test(many_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
