/* The preloaded clone(), here in place of libc's own. */
#include "machine/preload/orphan.c"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/wait.h>

#include <cmocka.h>

static char stack[65536] __attribute__((aligned(16)));

static int add_one(void *arg)
{
	return *(int *)arg + 1;
}

static void a_child_gets_its_argument_and_returns(void **state)
{
	int given = 41, status;
	pid_t pid = clone(add_one, stack + sizeof(stack), SIGCHLD, &given);

	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 42);
}

static int compute(void *arg)
{
	for (volatile int *running = arg; *running;)
		;
	return 0;
}

/* Whether somebody has the other end of a pipe within that time. */
static bool is_held(int fd, int wait_ms)
{
	struct pollfd polled = { .fd = fd };

	return poll(&polled, 1, wait_ms) == 0;
}

/* A process with a child that has the pipe's end for writing, until both are
 * gone. */
static pid_t start_parent(int flags, int *ret_read)
{
	static int running = 1;
	int ends[2];
	pid_t parent;

	assert_int_equal(pipe(ends), 0);
	parent = fork();
	assert_true(parent >= 0);
	if (parent == 0) {
		(void)close(ends[0]);
		if (clone(compute, stack + sizeof(stack), flags, &running) < 0)
			_exit(1);
		for (;;)
			(void)pause();
	}
	(void)close(ends[1]);
	*ret_read = ends[0];
	return parent;
}

static void a_child_is_killed_with_its_parent(void **state)
{
	static const int flags[] = { SIGCHLD, CLONE_FILES | SIGCHLD,
				     CLONE_FILES | CLONE_VM | SIGCHLD };

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		int status, fd;
		pid_t parent = start_parent(flags[i], &fd);

		assert_true(is_held(fd, 50));
		assert_int_equal(kill(parent, SIGKILL), 0);
		assert_int_equal(waitpid(parent, &status, 0), parent);
		assert_true(WIFSIGNALED(status));
		assert_false(is_held(fd, 10000));
		(void)close(fd);
	}
}

static int told(void *arg)
{
	return 0;
}

static void a_child_of_the_dead_does_not_begin(void **state)
{
	struct birth birth = { told, NULL, 1 << 30 };
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(live(&birth));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_child_gets_its_argument_and_returns),
		cmocka_unit_test(a_child_is_killed_with_its_parent),
		cmocka_unit_test(a_child_of_the_dead_does_not_begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
