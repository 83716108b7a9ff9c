#include "runtime/detach.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void the_monitor_reports_and_stays(void **state)
{
	struct img_err err = { 0 };
	struct detach d;
	int r;

	r = detach_fork(&d, &err);
	if (r == 0 && d.is_monitor) {
		bool leader = getsid(0) == getpid();

		detach_report(&d, leader ? 4711 : 1, 0, &err);
		_exit(7);
	}
	assert_int_equal(r, 0);
	assert_int_equal(d.container_pid, 4711);
	assert_int_equal(waitpid(d.monitor_pid, &r, 0), d.monitor_pid);
	assert_true(WIFEXITED(r) && WEXITSTATUS(r) == 7);
}

static void its_failure_is_the_commands(void **state)
{
	struct img_err err = { 0 };
	struct detach d;
	int r = detach_fork(&d, &err);

	if (r == 0 && d.is_monitor) {
		(void)img_err_set(&err, IMG_E_NOT_FOUND, 0, "no such thing");
		detach_report(&d, 0, 127, &err);
		_exit(0);
	}
	assert_int_equal(r, -IMG_E_NOT_FOUND);
	assert_string_equal(err.msg, "no such thing");
	assert_int_equal(d.exit_status, 127);
	assert_int_equal(waitpid(d.monitor_pid, NULL, 0), d.monitor_pid);
}

static void its_death_is_noticed(void **state)
{
	struct img_err err = { 0 };
	struct detach d;
	int r = detach_fork(&d, &err);

	if (r == 0 && d.is_monitor)
		(void)raise(SIGKILL);
	assert_int_equal(r, -IMG_E_INTERNAL);
	assert_string_equal(err.msg, "the monitor died before the container "
				     "started");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_monitor_reports_and_stays),
		cmocka_unit_test(its_failure_is_the_commands),
		cmocka_unit_test(its_death_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
