/* The directory of a process is its own, or there is none. */
#include "runtime/procdir.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static pid_t start_child(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		for (;;)
			pause();
	return pid;
}

static void a_living_process(void **state)
{
	img_auto(img_fd_release) int pidfd = -1, dir = -1;
	img_auto(img_mem_release) char *stat = NULL;
	struct img_err err = { 0 };
	pid_t pid = start_child();

	(void)state;
	pidfd = pidfd_open(pid, 0);
	assert_int_equal(procdir_open(pidfd, &dir, &err), 0);
	assert_int_equal(file_read_all(dir, "stat", 4096, &stat, NULL, &err),
			 0);
	assert_int_equal(strtol(stat, NULL, 10), pid);

	/* What is held of one that ends opens nothing more. */
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(openat(dir, "root", O_PATH | O_CLOEXEC), -1);
}

static void an_ended_process(void **state)
{
	img_auto(img_fd_release) int pidfd = -1;
	struct img_err err = { 0 };
	pid_t pid = start_child();
	siginfo_t info;
	int dir = -1;

	(void)state;
	pidfd = pidfd_open(pid, 0);
	assert_int_equal(kill(pid, SIGKILL), 0);
	/* One that nobody has waited for still has its number. */
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(procdir_open(pidfd, &dir, &err), -IMG_E_NOT_FOUND);
	assert_string_equal(err.msg, "the container has ended");
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(procdir_open(pidfd, &dir, &err), -IMG_E_NOT_FOUND);
	assert_int_equal(dir, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_living_process),
		cmocka_unit_test(an_ended_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
