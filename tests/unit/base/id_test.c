#include "base/id.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void ids_are_hexadecimal_and_new(void **state)
{
	struct img_err err = { 0 };
	struct id a, b;

	assert_int_equal(id_new(&a, &err), 0);
	assert_int_equal(id_new(&b, &err), 0);
	assert_int_equal(strlen(a.hex), ID_LEN);
	assert_int_equal(strspn(a.hex, "0123456789abcdef"), ID_LEN);
	assert_string_not_equal(a.hex, b.hex);
	assert_true(id_is_prefix(a.hex));
}

static void what_could_begin_an_id(void **state)
{
	static const char *const bad[] = { "",	  "A",	 "0x1",	  "g",
					   "12 ", " 12", "abc-d", "abc\n" };
	char text[ID_LEN + 2];

	assert_true(id_is_prefix("0"));
	assert_true(id_is_prefix("deadbeef"));
	for (size_t i = 0; i < IMG_COUNT(bad); i++)
		assert_false(id_is_prefix(bad[i]));
	memset(text, 'a', sizeof(text));
	text[ID_LEN + 1] = '\0';
	assert_false(id_is_prefix(text));
	text[ID_LEN] = '\0';
	assert_true(id_is_prefix(text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_are_hexadecimal_and_new),
		cmocka_unit_test(what_could_begin_an_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
