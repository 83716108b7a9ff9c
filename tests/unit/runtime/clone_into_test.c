#include "runtime/clone_into.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define STACK_BYTES ((size_t)64 * 1024)

static volatile int seen;

static int child(void *self)
{
	seen = *(int *)self;
	return 7;
}

static struct clone_plan plan_of(void *stack, int *value, int cgroup)
{
	return (struct clone_plan){ .fn = child,
				    .self = value,
				    .stack = stack,
				    .stack_bytes = STACK_BYTES,
				    .flags = CLONE_VM | SIGCHLD,
				    .cgroup = cgroup };
}

static void assert_runs(int cgroup)
{
	img_auto(img_mem_release) void *stack =
		aligned_alloc(4096, STACK_BYTES);
	img_auto(img_fd_release) int pidfd = -1;
	int value = 42, status = 0;
	const struct clone_plan plan = plan_of(stack, &value, cgroup);
	pid_t pid;

	seen = 0;
	pid = clone_into(&plan, &pidfd);
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
	assert_int_equal(seen, 42);
	assert_true(pidfd >= 0);
}

static void a_child_runs_where_we_are(void **state)
{
	assert_runs(-1);
}

static void what_is_no_cgroup_makes_no_child(void **state)
{
	img_auto(img_mem_release) void *stack =
		aligned_alloc(4096, STACK_BYTES);
	img_auto(img_fd_release) int dir = -1;
	int value = 0, pidfd = -1;
	struct clone_plan plan;

	dir = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	plan = plan_of(stack, &value, dir);
	assert_int_equal(clone_into(&plan, &pidfd), -1);
	assert_true(errno == EBADF || errno == ENOSYS);
}

static void what_is_no_cgroup_makes_no_copy(void **state)
{
	img_auto(img_fd_release) int dir = -1;
	int pidfd = -1;

	dir = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(clone_fork_into(dir, &pidfd), -1);
	assert_true(errno == EBADF || errno == ENOSYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_child_runs_where_we_are),
		cmocka_unit_test(what_is_no_cgroup_makes_no_child),
		cmocka_unit_test(what_is_no_cgroup_makes_no_copy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
