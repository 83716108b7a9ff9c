/* What machine_exec refuses before anything is started. */
#include "machine/machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *argv[] = { NULL };

static struct img_err refusal(const struct machine_options *options)
{
	struct img_err err = { 0 };
	int status = 0, r = machine_exec(options, argv, &status, &err);

	assert_int_equal(r, -(int)err.code);
	assert_int_not_equal(err.code, IMG_OK);
	assert_int_equal(status, MACHINE_STATUS_FAILED);
	return err;
}

static void too_little_memory_is_refused(void **state)
{
	const struct machine_options options = { .mem_bytes = 64 << 20 };
	struct img_err err = refusal(&options);

	assert_int_equal(err.code, IMG_E_INPUT);
	assert_string_equal(err.msg, "64.0 MiB of memory is too little for a "
				     "machine: 128 MiB is the least");
}

static void a_missing_program_is_named(void **state)
{
	const struct machine_options options = { .init_program = "/nowhere" };
	struct img_err err = refusal(&options);

	assert_string_equal(err.msg, "cannot find the program /nowhere: No "
				     "such file or directory");
}

static void an_ordinary_process_is_no_guest(void **state)
{
	char *named[] = { (char[]){ "img" }, (char[]){ "machine-init" }, NULL };
	char *bare[] = { (char[]){ "img" }, NULL };

	assert_false(machine_is_guest(2, named));
	assert_false(machine_is_guest(1, bare));
	assert_false(machine_is_guest(0, argv));
}

static void the_kernels_modprobe_is_a_guest(void **state)
{
	char *call[] = { (char[]){ "/run/img-machine/modprobe" },
			 (char[]){ "-q" }, (char[]){ "--" },
			 (char[]){ "fs-overlay" }, NULL };

	assert_true(machine_is_guest(4, call));
	assert_false(machine_is_guest(1, call));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(too_little_memory_is_refused),
		cmocka_unit_test(a_missing_program_is_named),
		cmocka_unit_test(an_ordinary_process_is_no_guest),
		cmocka_unit_test(the_kernels_modprobe_is_a_guest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
