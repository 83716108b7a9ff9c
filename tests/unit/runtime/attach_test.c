#include "runtime/attach.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void keys_are(const char *text, const char *bytes, size_t n)
{
	struct attach_options o = { 0 };
	struct img_err err = { 0 };

	assert_int_equal(attach_parse_keys(text, &o, &err), 0);
	assert_int_equal(o.n_detach_keys, n);
	assert_memory_equal(o.detach_keys, bytes, n);
}

static void keys_are_read_as_docker_reads_them(void **state)
{
	keys_are(NULL, "\20\21", 2);
	keys_are("", "\20\21", 2);
	keys_are("ctrl-a", "\1", 1);
	keys_are("ctrl-z,d", "\32d", 2);
	keys_are("ctrl-@,ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_",
		 "\0\33\34\35\36\37", 6);
}

static void other_keys_are_refused(void **state)
{
	static const char *const wrong[] = {
		",",	   "a,",
		"ctrl-",   "ctrl-ab",
		"ctrl-1",  "ctrl-A",
		"shift-a", "ab",
		"a,,b",	   "a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a",
	};

	for (size_t i = 0; i < IMG_COUNT(wrong); i++) {
		struct attach_options o = { 0 };
		struct img_err err = { 0 };

		assert_int_equal(attach_parse_keys(wrong[i], &o, &err),
				 -IMG_E_INPUT);
		assert_non_null(strstr(err.msg, wrong[i]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_read_as_docker_reads_them),
		cmocka_unit_test(other_keys_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
