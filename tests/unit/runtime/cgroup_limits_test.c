#include "runtime/cgroup_limits.h"

#include "base/attr.h"
#include "tests/lib/made_cgroup.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const all[] = {
	"memory.max", "memory.swap.max", "memory.low",	"cpu.max",
	"cpu.weight", "cpuset.cpus",	 "cpuset.mems", "pids.max",
	"io.weight",  "io.max",
};

static void make_all(int dir)
{
	for (size_t i = 0; i < IMG_COUNT(all); i++)
		made_write(dir, all[i], "");
}

static void assert_file(int dir, const char *file, const char *text)
{
	char is[128];

	assert_int_equal(faccessat(dir, file, F_OK, 0), 0);
	assert_string_equal(made_read(dir, file, is, sizeof(is)), text);
}

static int set(int dir, const struct cgroup_limits *limits,
	       struct cgroup_missing *missing, struct img_err *err)
{
	return cgroup_limits_set(dir, limits, makedev(253, 7), missing, err);
}

static void nothing_asked_is_nothing_written(void **state)
{
	const struct made_cgroup *made = *state;
	const struct cgroup_limits none = { 0 };
	struct cgroup_missing missing;
	struct img_err err = { 0 };

	assert_false(cgroup_limits_any(&none));
	assert_int_equal(set(made->dir, &none, &missing, &err), 0);
	make_all(made->dir);
	assert_int_equal(set(made->dir, &none, &missing, &err), 0);
	for (size_t i = 0; i < IMG_COUNT(all); i++)
		assert_file(made->dir, all[i], "");
}

static void each_limit_in_its_file(void **state)
{
	const struct made_cgroup *made = *state;
	const struct cgroup_io io = { .kind = CGROUP_IO_WRITE_BPS,
				      .rate = 1048576 };
	const struct cgroup_limits limits = {
		.memory_bytes = 64 << 20,
		.memory_swap_bytes = 80 << 20,
		.memory_low_bytes = 32 << 20,
		.cpu_quota_us = 25000,
		.cpu_period_us = 50000,
		.cpu_shares = 1024,
		.cpus = "0-2,7",
		.mems = "0",
		.pids = 12,
		.io_weight = 500,
		.io = &io,
		.n_io = 1,
	};
	struct cgroup_missing missing;
	struct img_err err = { 0 };

	make_all(made->dir);
	assert_true(cgroup_limits_any(&limits));
	assert_int_equal(set(made->dir, &limits, &missing, &err), 0);
	assert_file(made->dir, "memory.max", "67108864");
	assert_file(made->dir, "memory.swap.max", "16777216");
	assert_file(made->dir, "memory.low", "33554432");
	assert_file(made->dir, "cpu.max", "25000 50000");
	assert_file(made->dir, "cpu.weight", "39");
	assert_file(made->dir, "cpuset.cpus", "0-2,7");
	assert_file(made->dir, "cpuset.mems", "0");
	assert_file(made->dir, "pids.max", "12");
	assert_file(made->dir, "io.weight", "default 4950");
	assert_file(made->dir, "io.max", "253:7 wbps=1048576");
}

static void docker_swap(void **state)
{
	static const struct {
		int64_t memory, both;
		const char *alone;
	} cases[] = {
		{ 1 << 20, 0, "1048576" },	{ 1 << 20, 3 << 20, "2097152" },
		{ 1 << 20, 1 << 20, "0" },	{ 1 << 20, -1, "max" },
		{ CGROUP_UNLIMITED, 0, "max" },
	};
	const struct made_cgroup *made = *state;
	struct cgroup_missing missing;
	struct img_err err = { 0 };

	for (size_t i = 0; i < IMG_COUNT(cases); i++) {
		const struct cgroup_limits limits = {
			.memory_bytes = cases[i].memory,
			.memory_swap_bytes = cases[i].both,
		};

		make_all(made->dir);
		assert_int_equal(set(made->dir, &limits, &missing, &err), 0);
		assert_file(made->dir, "memory.swap.max", cases[i].alone);
	}
}

static void without_swap_only_an_asked_limit_of_it_is_missed(void **state)
{
	const struct made_cgroup *made = *state;
	struct cgroup_limits limits = { .memory_bytes = 1 << 20 };
	struct cgroup_missing missing;
	struct img_err err = { 0 };

	make_all(made->dir);
	assert_int_equal(unlinkat(made->dir, "memory.swap.max", 0), 0);
	assert_int_equal(set(made->dir, &limits, &missing, &err), 0);
	assert_null(missing.controller);
	limits.memory_swap_bytes = 2 << 20;
	assert_int_equal(set(made->dir, &limits, &missing, &err),
			 -IMG_E_UNSUPPORTED);
	assert_string_equal(missing.option, "--memory-swap");
}

static void what_is_missing_is_named(void **state)
{
	static const struct {
		struct cgroup_limits limits;
		const char *controller, *option;
	} cases[] = {
		{ { .memory_bytes = 1 }, "memory", "--memory" },
		{ { .memory_low_bytes = 1 }, "memory", "--memory-reservation" },
		{ { .cpu_quota_us = 1 }, "cpu", "--cpus" },
		{ { .cpu_shares = 2 }, "cpu", "--cpu-shares" },
		{ { .cpus = "0" }, "cpuset", "--cpuset-cpus" },
		{ { .mems = "0" }, "cpuset", "--cpuset-mems" },
		{ { .pids = 1 }, "pids", "--pids-limit" },
		{ { .io_weight = 10 }, "io", "--blkio-weight" },
	};
	const struct made_cgroup *made = *state;

	for (size_t i = 0; i < IMG_COUNT(cases); i++) {
		struct cgroup_missing missing;
		struct img_err err = { 0 };

		assert_int_equal(set(made->dir, &cases[i].limits, &missing,
				     &err),
				 -IMG_E_UNSUPPORTED);
		assert_string_equal(missing.controller, cases[i].controller);
		assert_string_equal(missing.option, cases[i].option);
		assert_int_equal(err.code, IMG_OK); /* the caller's to say */
	}
}

static void a_device_is_a_block_device(void **state)
{
	const struct made_cgroup *made = *state;
	const struct cgroup_io io = { .kind = CGROUP_IO_READ_IOPS,
				      .device = "/dev/null",
				      .rate = 1 };
	const struct cgroup_limits limits = { .io = &io, .n_io = 1 };
	struct cgroup_missing missing;
	struct img_err err = { 0 };

	make_all(made->dir);
	assert_int_equal(set(made->dir, &limits, &missing, &err), -IMG_E_INPUT);
	assert_string_equal(err.msg, "cannot limit /dev/null: it is not a "
				     "block device");
}

static void bfq_has_a_weight_of_its_own(void **state)
{
	const struct made_cgroup *made = *state;
	const struct cgroup_limits limits = { .io_weight = 300 };
	struct cgroup_missing missing;
	struct img_err err = { 0 };

	make_all(made->dir);
	made_write(made->dir, "io.bfq.weight", "");
	assert_int_equal(set(made->dir, &limits, &missing, &err), 0);
	assert_file(made->dir, "io.bfq.weight", "default 300");
	assert_file(made->dir, "io.weight", "");
}

static void weights_meet_at_both_ends(void **state)
{
	assert_int_equal(cgroup_weight_of_shares(0), 1);
	assert_int_equal(cgroup_weight_of_shares(2), 1);
	assert_int_equal(cgroup_weight_of_shares(1024), 39);
	assert_int_equal(cgroup_weight_of_shares(262144), 10000);
	assert_int_equal(cgroup_weight_of_shares(UINT64_MAX), 10000);
	assert_int_equal(cgroup_weight_of_blkio(10), 1);
	assert_int_equal(cgroup_weight_of_blkio(1000), 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_cgroup(nothing_asked_is_nothing_written),
		test_in_cgroup(each_limit_in_its_file),
		test_in_cgroup(docker_swap),
		test_in_cgroup(
			without_swap_only_an_asked_limit_of_it_is_missed),
		test_in_cgroup(what_is_missing_is_named),
		test_in_cgroup(a_device_is_a_block_device),
		test_in_cgroup(bfq_has_a_weight_of_its_own),
		cmocka_unit_test(weights_meet_at_both_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
