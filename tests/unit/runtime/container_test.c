#include "runtime/container.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

static void statuses_are_as_shells_have_them(void **state)
{
	assert_int_equal(container_status(CLD_EXITED, 0), 0);
	assert_int_equal(container_status(CLD_EXITED, 255), 255);
	assert_int_equal(container_status(CLD_KILLED, SIGKILL), 137);
	assert_int_equal(container_status(CLD_DUMPED, SIGSEGV), 139);
}

static void assert_refused(const struct container_spec *spec,
			   const char *message)
{
	struct container container;
	struct img_err err = { 0 };
	sigset_t before, after;

	assert_int_equal(sigprocmask(SIG_SETMASK, NULL, &before), 0);
	assert_true(container_start(spec, &container, &err) < 0);
	assert_string_equal(err.msg, message);
	assert_int_equal(container.exit_status, 125);
	assert_int_equal(sigprocmask(SIG_SETMASK, NULL, &after), 0);
	for (int sig = 1; sig < 32; sig++)
		assert_int_equal(sigismember(&before, sig),
				 sigismember(&after, sig));
}

static void a_spec_is_checked_before_anything_is_made(void **state)
{
	char *nothing[] = { NULL };
	char command[] = "true", *argv[] = { command, NULL };
	char name[70];
	struct container_spec spec = { .id = "0123", .argv = nothing };

	assert_refused(&spec, "no command given");
	memset(name, 'n', 65);
	name[65] = '\0';
	spec.argv = argv;
	spec.hostname = name;
	assert_refused(&spec,
		       "the host name 'nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
		       "nnnnnnnnnnnnnnnnnnnnnnnnn' is longer than 64 bytes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(statuses_are_as_shells_have_them),
		cmocka_unit_test(a_spec_is_checked_before_anything_is_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
