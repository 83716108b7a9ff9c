#include "runtime/process.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* A child that does nothing until it is killed. */
static pid_t idle_child(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			(void)pause();
	}
	return pid;
}

static void a_stat_line_is_read_behind_the_name(void **state)
{
	static const char plain[] = "12 (sh) S 1 12 12 0 -1 4194304 103 0 0 0 "
				    "0 0 0 0 20 0 1 0 4711 2621440 137 9\n";
	static const char nasty[] = "12 (a) R 1 ) (x) Z 1 12 12 0 -1 4194304 "
				    "103 0 0 0 0 0 0 0 20 0 1 0 815 2621440\n";
	uint64_t start;
	char s;

	assert_true(process_parse_stat(plain, &s, &start));
	assert_int_equal(s, 'S');
	assert_int_equal(start, 4711);
	assert_true(process_parse_stat(nasty, &s, &start));
	assert_int_equal(s, 'Z');
	assert_int_equal(start, 815);
}

static void broken_stat_lines_are_refused(void **state)
{
	static const char no_start[] = "12 (sh) S 1 12 12 0 -1 4194304 103 0 "
				       "0 0 0 0 0 0 20 0 1 0 x 5";
	static const char *const lines[] = {
		"", "12", "12 (sh)", "12 (sh) ", "12 (sh) S 1 2", no_start,
	};
	uint64_t start;
	char s;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_false(process_parse_stat(lines[i], &s, &start));
}

static void a_process_is_known_by_its_start(void **state)
{
	struct img_err err = { 0 };
	struct process self, other;

	assert_int_equal(process_identify(getpid(), &self, &err), 0);
	assert_int_equal(self.pid, getpid());
	assert_true(process_is_alive(&self));
	other = self;
	other.start_ticks++;
	assert_false(process_is_alive(&other));
	assert_int_equal(process_kill(&other, SIGKILL, &err), -IMG_E_NOT_FOUND);
	assert_int_equal(process_wait(&other, 0, &err), 0);
}

static void a_child_is_killed_and_waited_for(void **state)
{
	struct img_err err = { 0 };
	struct process child;
	pid_t pid = idle_child();

	assert_int_equal(process_identify(pid, &child, &err), 0);
	assert_int_equal(process_wait(&child, 1, &err), -IMG_E_BUSY);
	assert_non_null(strstr(err.msg, "still runs after 1 ms"));
	err = (struct img_err){ 0 };
	assert_int_equal(process_kill(&child, SIGKILL, &err), 0);
	assert_int_equal(process_wait(&child, 10000, &err), 0);
	/* A zombie by now, or soon: either way it does not run. */
	assert_false(process_is_alive(&child));
	assert_int_equal(process_identify(pid, &child, &err), -IMG_E_NOT_FOUND);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_false(process_is_alive(&child));
	err = (struct img_err){ 0 };
	assert_int_equal(process_kill(&child, SIGTERM, &err), -IMG_E_NOT_FOUND);
	assert_non_null(strstr(err.msg, " is gone"));
}

static void numbers_that_are_no_process_are_gone(void **state)
{
	const struct process none = { .pid = 0 };
	struct img_err err = { 0 };
	struct process p;

	assert_false(process_is_alive(&none));
	assert_int_equal(process_kill(&none, SIGKILL, &err), -IMG_E_NOT_FOUND);
	assert_int_equal(process_identify(-1, &p, &err), -IMG_E_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stat_line_is_read_behind_the_name),
		cmocka_unit_test(broken_stat_lines_are_refused),
		cmocka_unit_test(a_process_is_known_by_its_start),
		cmocka_unit_test(a_child_is_killed_and_waited_for),
		cmocka_unit_test(numbers_that_are_no_process_are_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
