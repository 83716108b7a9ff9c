#include "runtime/subpath.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void ways_inside_are_taken(void **state)
{
	static const char *const ways[] = { "a",   "a/b", "a//b/",
					    ".",   "./a", "a/..",
					    "..a", "...", "a/../b" };
	struct img_err err = { 0 };

	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
		if (subpath_check(ways[i], &err) < 0)
			fail_msg("%s: %s", ways[i], err.msg);
}

static void ways_outside_are_refused(void **state)
{
	static const char *const ways[] = { "",	    "/",	   "/a",
					    "..",   "../a",	   "a/../..",
					    "./..", "a/../../b/c", "a//../.." };

	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		struct img_err err = { 0 };

		assert_int_equal(subpath_check(ways[i], &err), -IMG_E_INPUT);
		assert_string_equal(err.msg, "a directory inside the volume is "
					     "wanted, as in 'a/b'");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ways_inside_are_taken),
		cmocka_unit_test(ways_outside_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
