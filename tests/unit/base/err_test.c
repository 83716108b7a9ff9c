#include "base/err.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void the_first_record_wins(void **state)
{
	struct img_err err = { 0 };

	assert_int_equal(img_err_set(&err, IMG_E_BUSY, 0, "cannot stop %s",
				     "web"),
			 -IMG_E_BUSY);
	assert_int_equal(img_err_set(&err, IMG_E_CORRUPT, EIO, "later"),
			 -IMG_E_BUSY);
	errno = ENOSPC;
	assert_int_equal(img_err_sys(&err, "later still"), -IMG_E_BUSY);
	assert_string_equal(err.msg, "cannot stop web");
	assert_int_equal(err.sys_errno, 0);
}

static void the_cause_ends_the_message(void **state)
{
	struct img_err err = { 0 };

	assert_int_equal(img_err_set(&err, IMG_E_CORRUPT, EIO, "bad block %d",
				     7),
			 -IMG_E_CORRUPT);
	assert_string_equal(err.msg, "bad block 7: Input/output error");
	assert_int_equal(err.sys_errno, EIO);
}

static void errnos_become_codes(void **state)
{
	static const struct {
		int e;
		enum img_code code;
	} cases[] = {
		{ ENOSPC, IMG_E_NO_SPACE },   { EDQUOT, IMG_E_NO_SPACE },
		{ ENOENT, IMG_E_NOT_FOUND },  { EBUSY, IMG_E_BUSY },
		{ EINTR, IMG_E_INTERRUPTED }, { EACCES, IMG_E_SYS },
		{ EIO, IMG_E_SYS },
	};

	for (size_t i = 0; i < IMG_COUNT(cases); i++) {
		struct img_err err = { 0 };
		char expected[128];

		(void)snprintf(expected, sizeof(expected), "cannot open x: %s",
			       strerror(cases[i].e));
		errno = cases[i].e;
		assert_int_equal(img_err_sys(&err, "cannot open %s", "x"),
				 -(int)cases[i].code);
		assert_int_equal(err.sys_errno, cases[i].e);
		assert_string_equal(err.msg, expected);
	}
}

static void context_comes_before(void **state)
{
	struct img_err err = { 0 };

	(void)img_err_set(&err, IMG_E_INPUT, 0, "entry 17 is bad");
	assert_int_equal(img_err_prefix(&err, "cannot import %s", "a.tar"),
			 -IMG_E_INPUT);
	assert_string_equal(err.msg, "cannot import a.tar: entry 17 is bad");
}

static void a_hint_comes_after(void **state)
{
	struct img_err err = { 0 };

	(void)img_err_set(&err, IMG_E_INPUT, 0, "it is bad");
	assert_int_equal(img_err_hint(&err, "; try %d", 5), -IMG_E_INPUT);
	assert_string_equal(err.msg, "it is bad; try 5");
}

/* Whatever is put into it, a record ends with a NUL inside its room. */
static void what_is_too_long_is_cut(void **state)
{
	struct img_err err = { 0 };
	char text[1000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	(void)img_err_set(&err, IMG_E_SYS, EIO, "%s", text);
	assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
	(void)img_err_hint(&err, "more");
	assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
	(void)img_err_prefix(&err, "short");
	assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
	assert_memory_equal(err.msg, "short: xxx", 10);
	(void)img_err_prefix(&err, "%s", text);
	assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
}

static void every_length_of_context_fits(void **state)
{
	char text[600];

	for (size_t len = 0; len < sizeof(text); len++) {
		struct img_err err = { 0 };

		memset(text, 'y', len);
		text[len] = '\0';
		(void)img_err_set(&err, IMG_E_SYS, 0, "cause");
		(void)img_err_prefix(&err, "%s", text);
		assert_true(strlen(err.msg) < sizeof(err.msg));
		if (len + 2 + 5 < sizeof(err.msg))
			assert_string_equal(err.msg + len, ": cause");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_record_wins),
		cmocka_unit_test(the_cause_ends_the_message),
		cmocka_unit_test(errnos_become_codes),
		cmocka_unit_test(context_comes_before),
		cmocka_unit_test(a_hint_comes_after),
		cmocka_unit_test(what_is_too_long_is_cut),
		cmocka_unit_test(every_length_of_context_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
