#include "base/part.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void what_the_program_has_is_not_loaded(void **state)
{
	struct img_err err = { 0 };

	assert_non_null(part_symbol("no-such-part", "strlen", &err));
	assert_int_equal(err.code, IMG_OK);
}

static void a_missing_part_is_named(void **state)
{
	struct img_err err = { 0 };

	assert_null(part_symbol("no-such-part", "no_such_function", &err));
	assert_int_equal(err.code, IMG_E_NOT_FOUND);
	assert_non_null(strstr(err.msg,
			       "cannot find img-no-such-part.so, neither "
			       "beside the program nor in /"));
	err = (struct img_err){ 0 };
	assert_null(part_path("no-such-part", &err));
	assert_int_equal(err.code, IMG_E_NOT_FOUND);
}

/* The path beside this program where a part would be. */
static void beside(char *out, size_t size, const char *name)
{
	ssize_t n = readlink("/proc/self/exe", out, size - 1);

	assert_true(n > 0);
	out[n] = '\0';
	(void)snprintf(strrchr(out, '/') + 1,
		       size - (size_t)(strrchr(out, '/') + 1 - out), "%s",
		       name);
}

static void a_damaged_part_is_named(void **state)
{
	char path[4096];
	struct img_err err = { 0 };
	FILE *f;

	beside(path, sizeof(path), "img-part-test-damaged.so");
	f = fopen(path, "we");
	assert_non_null(f);
	assert_true(fputs("no shared object", f) >= 0);
	assert_int_equal(fclose(f), 0);
	{
		img_auto(img_mem_release) char *found =
			part_path("part-test-damaged", &err);

		assert_string_equal(found, path);
	}
	assert_null(part_symbol("part-test-damaged", "no_such_function", &err));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(err.code, IMG_E_NOT_FOUND);
	assert_non_null(strstr(err.msg, "cannot load the part "
					"'part-test-damaged': "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_program_has_is_not_loaded),
		cmocka_unit_test(a_missing_part_is_named),
		cmocka_unit_test(a_damaged_part_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
