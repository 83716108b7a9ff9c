#include "tests/unit/runtime/image_dir.h"

#include "runtime/detach.h"

#include <signal.h>
#include <sys/wait.h>

static void the_monitor_reports_and_stays(void **state)
{
	struct image_dir *dir = *state;
	struct img_err err = { 0 };
	struct detach d;
	char log[96], text[64] = "";
	int fd, r;

	snprintf(log, sizeof(log), "%s/log", dir->path);
	r = detach_fork(log, &d, &err);
	if (r == 0 && d.is_monitor) {
		bool leader = getsid(0) == getpid();

		detach_report(&d, leader ? 4711 : 1, 0, &err);
		dprintf(STDOUT_FILENO, "said later\n");
		_exit(7);
	}
	assert_int_equal(r, 0);
	assert_int_equal(d.container_pid, 4711);
	assert_int_equal(waitpid(d.monitor_pid, &r, 0), d.monitor_pid);
	assert_true(WIFEXITED(r) && WEXITSTATUS(r) == 7);
	fd = open(log, O_RDONLY | O_CLOEXEC);
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	assert_string_equal(text, "said later\n");
}

static void its_failure_is_the_commands(void **state)
{
	struct img_err err = { 0 };
	struct detach d;
	int r = detach_fork(NULL, &d, &err);

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
	int r = detach_fork(NULL, &d, &err);

	if (r == 0 && d.is_monitor)
		(void)raise(SIGKILL);
	assert_int_equal(r, -IMG_E_INTERNAL);
	assert_string_equal(err.msg, "the monitor died before the container "
				     "started");
}

static void a_log_that_cannot_be_opened_is_an_error(void **state)
{
	struct img_err err = { 0 };
	struct detach d;
	int r = detach_fork("/nowhere/log", &d, &err);

	if (r == 0 && d.is_monitor)
		_exit(0);
	assert_int_equal(r, -IMG_E_NOT_FOUND);
	assert_string_equal(err.msg, "cannot open the log /nowhere/log: No "
				     "such file or directory");
	assert_int_equal(waitpid(d.monitor_pid, NULL, 0), d.monitor_pid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_image(the_monitor_reports_and_stays),
		cmocka_unit_test(its_failure_is_the_commands),
		cmocka_unit_test(its_death_is_noticed),
		cmocka_unit_test(a_log_that_cannot_be_opened_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
