#include "storage/libdm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_not_opened(const char *library, const char *message)
{
	const char *saved = libdm_library;
	struct img_err err = { 0 };

	libdm_library = library;
	assert_null(libdm_open(&err));
	libdm_library = saved;
	assert_int_equal(err.code, IMG_E_NO_DM);
	assert_non_null(strstr(err.msg, message));
}

static void what_is_missing_is_named(void **state)
{
	assert_not_opened("libnowhere.so", "cannot load libnowhere.so: ");
	assert_not_opened("libc.so.6",
			  "libc.so.6 has no dm_get_next_target: it is too old");
}

static void the_library_works(void **state)
{
	struct img_err err = { 0 };
	const struct libdm *lib = libdm_open(&err);
	struct dm_task *task;

	assert_non_null(lib);
	task = lib->task_create(DM_DEVICE_INFO);
	if (task) /* without device-mapper it makes none */
		lib->task_destroy(task);
	assert_ptr_equal(libdm_open(&err), lib);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_missing_is_named),
		cmocka_unit_test(the_library_works),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
