#include "image/entry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void names_are_quoted(void **state)
{
	char out[ENTRY_QUOTED_MAX];

	assert_string_equal(entry_quote("etc/passwd", out), "'etc/passwd'");
	assert_string_equal(entry_quote("", out), "''");
	assert_string_equal(entry_quote("a'b\\c", out), "'a\\'b\\\\c'");
	assert_string_equal(entry_quote("\033[31m\n\377", out),
			    "'\\x1b[31m\\n\\xff'");
}

static void long_names_keep_both_ends(void **state)
{
	char name[5000], out[ENTRY_QUOTED_MAX];

	memset(name, 'a', sizeof(name));
	memcpy(name + sizeof(name) - 5, "/end", 5);
	(void)entry_quote(name, out);
	assert_true(strlen(out) < sizeof(out));
	assert_memory_equal(out, "'aaaa", 5);
	assert_non_null(strstr(out, "..."));
	assert_string_equal(out + strlen(out) - 5, "/end'");
	memset(name, '\1', sizeof(name) - 1); /* all of it grows fourfold */
	(void)entry_quote(name, out);
	assert_true(strlen(out) < sizeof(out));
}

static void a_name_that_just_fits_is_whole(void **state)
{
	char name[ENTRY_QUOTED_MAX], out[ENTRY_QUOTED_MAX];

	memset(name, 'a', sizeof(name));
	name[ENTRY_QUOTED_MAX - 3] = '\0';
	(void)entry_quote(name, out);
	assert_int_equal(strlen(out), ENTRY_QUOTED_MAX - 1);
	assert_null(strstr(out, "..."));
}

static void an_error_gets_its_subject(void **state)
{
	const struct entry entry = { .number = 17, .path = "a/../../b" };
	struct img_err err = { 0 };

	(void)img_err_set(&err, IMG_E_INPUT, 0, "leaves the image");
	assert_int_equal(entry_blame(&entry, &err), -IMG_E_INPUT);
	assert_string_equal(err.msg, "entry 17 'a/../../b' leaves the image");
}

static void a_full_message_stays_terminated(void **state)
{
	const struct entry entry = { .number = 1, .path = "x" };
	struct img_err err = { .code = IMG_E_INPUT };

	memset(err.msg, 'm', sizeof(err.msg) - 1);
	for (int i = 0; i < 100; i++)
		(void)entry_blame(&entry, &err);
	assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_quoted),
		cmocka_unit_test(long_names_keep_both_ends),
		cmocka_unit_test(a_name_that_just_fits_is_whole),
		cmocka_unit_test(an_error_gets_its_subject),
		cmocka_unit_test(a_full_message_stays_terminated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
