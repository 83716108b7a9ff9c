#include "machine/processor.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* In a child: where a process settles, it stays.  In a network of its own: the
 * machines of others are not there. */
static void in_child(void (*test)(void))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		assert_int_equal(unshare(CLONE_NEWUSER | CLONE_NEWNET), 0);
		test();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static cpu_set_t allowed(void)
{
	cpu_set_t set;

	assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
	return set;
}

static void allow(const cpu_set_t *set)
{
	assert_int_equal(sched_setaffinity(0, sizeof(*set), set), 0);
}

static cpu_set_t settled(const cpu_set_t *all, int *ret_fd)
{
	cpu_set_t mine;

	allow(all);
	*ret_fd = processor_settle();
	mine = allowed();
	assert_int_equal(CPU_COUNT(&mine), 1);
	return mine;
}

static void settle_in_all(void)
{
	cpu_set_t all = allowed(), mine, taken, both;
	int n = CPU_COUNT(&all), fd, first = -1;

	if (n < 2)
		return; /* the other test's */
	CPU_ZERO(&taken);
	for (int i = 0; i < n; i++) {
		mine = settled(&all, &fd);
		assert_true(fd >= 0);
		CPU_AND(&both, &mine, &taken);
		assert_int_equal(CPU_COUNT(&both), 0);
		CPU_OR(&taken, &taken, &mine);
		first = i == 0 ? fd : first;
	}
	assert_true(CPU_EQUAL(&taken, &all));
	(void)settled(&all, &fd);
	assert_int_equal(fd, -1);
	(void)close(first); /* what is let go of can be had again */
	(void)settled(&all, &fd);
	assert_true(fd >= 0);
}

static void each_has_one_of_its_own_while_there_are(void **state)
{
	in_child(settle_in_all);
}

static void settle_in_one(void)
{
	cpu_set_t one = allowed(), after;
	int processor = sched_getcpu();

	CPU_ZERO(&one);
	CPU_SET((size_t)processor, &one);
	allow(&one);
	assert_int_equal(processor_settle(), -1);
	after = allowed();
	assert_true(CPU_EQUAL(&one, &after));
}

static void who_may_use_one_only_stays_there(void **state)
{
	in_child(settle_in_one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_has_one_of_its_own_while_there_are),
		cmocka_unit_test(who_may_use_one_only_stays_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
