#include "storage/holder.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cmocka.h>

static void what_is_mounted_here_is_found(void **state)
{
	char text[HOLDER_TEXT_MAX] = "";
	struct stat st;

	assert_int_equal(stat("/proc/self", &st), 0);
	assert_true(holder_find(st.st_dev, text));
	assert_non_null(strstr(text, "mounted in "));
	assert_non_null(strstr(text, " (process "));
}

static void nobody_holds_what_is_not_there(void **state)
{
	char text[HOLDER_TEXT_MAX] = "";

	assert_false(holder_find(makedev(4000, 70000), text));
	assert_string_equal(text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_mounted_here_is_found),
		cmocka_unit_test(nobody_holds_what_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
