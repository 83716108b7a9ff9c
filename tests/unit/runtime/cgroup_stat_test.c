#include "runtime/cgroup_stat.h"

#include "runtime/cgroup_file.h"
#include "tests/lib/made_cgroup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/sysmacros.h>

#include <cmocka.h>

static void all_that_is_counted(void **state)
{
	const struct made_cgroup *made = *state;
	struct cgroup_stat stat;
	struct img_err err = { 0 };

	made_write(made->dir, "cpu.stat", "usage_usec 1500\nuser_usec 9\n");
	made_write(made->dir, "memory.current", "10000\n");
	made_write(made->dir, "memory.stat", "anon 5\ninactive_file 4000\n");
	made_write(made->dir, "memory.max", "max\n");
	made_write(made->dir, "memory.events", "oom 2\noom_kill 1\n");
	made_write(made->dir, "pids.current", "3\n");
	made_write(made->dir, "io.stat",
		   "8:0 rbytes=1 wbytes=2 rios=3\n"
		   "253:7 rbytes=100 wbytes=200 rios=1 wios=2\n");
	assert_int_equal(
		cgroup_stat_read(made->dir, makedev(253, 7), &stat, &err), 0);
	assert_int_equal(stat.cpu_us, 1500);
	assert_int_equal(stat.memory_bytes, 6000);
	assert_true(stat.memory_limit_bytes == CGROUP_MAX);
	assert_int_equal(stat.oom_kills, 1);
	assert_int_equal(stat.pids, 3);
	assert_int_equal(stat.read_bytes, 100);
	assert_int_equal(stat.write_bytes, 200);
}

static void what_nobody_counts_is_unknown(void **state)
{
	const struct made_cgroup *made = *state;
	struct cgroup_stat stat;
	struct img_err err = { 0 };

	made_write(made->dir, "cpu.stat", "usage_usec 1\n");
	assert_int_equal(cgroup_stat_read(made->dir, 0, &stat, &err), 0);
	assert_true(stat.memory_bytes == CGROUP_UNKNOWN);
	assert_true(stat.memory_limit_bytes == CGROUP_UNKNOWN);
	assert_true(stat.read_bytes == CGROUP_UNKNOWN);
	assert_true(stat.pids == CGROUP_UNKNOWN);
	assert_int_equal(stat.oom_kills, 0);
}

static void a_cgroup_that_is_gone(void **state)
{
	const struct made_cgroup *made = *state;
	struct cgroup_stat stat;
	struct img_err err = { 0 };

	assert_int_equal(cgroup_stat_read(made->dir, 0, &stat, &err),
			 -IMG_E_NOT_FOUND);
}

static void a_device_that_did_nothing_has_no_line(void **state)
{
	struct cgroup_stat stat = { .read_bytes = 5 };

	cgroup_stat_parse_io("1253:7 rbytes=9 wbytes=9\n53:7 rbytes=8 "
			     "wbytes=8\n",
			     makedev(253, 7), &stat);
	assert_int_equal(stat.read_bytes, 0);
	assert_int_equal(stat.write_bytes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_cgroup(all_that_is_counted),
		test_in_cgroup(what_nobody_counts_is_unknown),
		test_in_cgroup(a_cgroup_that_is_gone),
		cmocka_unit_test(a_device_that_did_nothing_has_no_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
