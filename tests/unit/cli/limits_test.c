#include "cli/limits.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void drop(json_t **json)
{
	json_decref(*json);
}

static void what_is_typed_comes_back(void **state)
{
	const char *writes[] = { "2m", "/dev/sda:1m", "/dev/a:b:3k" };
	const struct limit_options o = {
		.memory = "64m",
		.memory_swap = "-1",
		.memory_reservation = "32M",
		.cpus = "1.5",
		.cpu_shares = "512",
		.cpuset_cpus = "0-1",
		.pids = "0",
		.blkio_weight = "10",
		.io[CGROUP_IO_WRITE_BPS] = { writes, 3 },
	};
	img_auto(drop) json_t *host = json_object();
	img_auto(img_mem_release) struct cgroup_io *io = NULL;
	struct cgroup_limits limits;
	struct img_err err = { 0 };

	assert_int_equal(limits_put(host, &o, &err), 0);
	limits_get(host, &limits, &io);
	assert_int_equal(limits.memory_bytes, 64 << 20);
	assert_int_equal(limits.memory_swap_bytes, CGROUP_UNLIMITED);
	assert_int_equal(limits.memory_low_bytes, 32 << 20);
	assert_int_equal(limits.cpu_quota_us, 150000);
	assert_int_equal(limits.cpu_shares, 512);
	assert_string_equal(limits.cpus, "0-1");
	assert_null(limits.mems);
	assert_int_equal(limits.pids, CGROUP_UNLIMITED);
	assert_int_equal(limits.io_weight, 10);
	assert_int_equal(limits.n_io, 3);
	assert_null(io[0].device);
	assert_int_equal(io[0].rate, 2 << 20);
	assert_string_equal(io[1].device, "/dev/sda");
	assert_string_equal(io[2].device, "/dev/a:b");
	assert_int_equal(io[2].rate, 3 << 10);
}

static void what_is_not_said_stays(void **state)
{
	const char *first[] = { "1m" }, *then[] = { "2m", "/dev/x:1m" };
	struct limit_options o = { .memory = "64m",
				   .io[CGROUP_IO_READ_BPS] = { first, 1 } };
	img_auto(drop) json_t *host = json_object();
	img_auto(img_mem_release) struct cgroup_io *io = NULL;
	struct cgroup_limits limits;
	struct img_err err = { 0 };

	assert_int_equal(limits_put(host, &o, &err), 0);
	o = (struct limit_options){ .pids = "5",
				    .io[CGROUP_IO_READ_BPS] = { then, 2 } };
	assert_int_equal(limits_put(host, &o, &err), 0);
	limits_get(host, &limits, &io);
	assert_int_equal(limits.memory_bytes, 64 << 20);
	assert_int_equal(limits.pids, 5);
	/* The same device has the new rate, not both. */
	assert_int_equal(limits.n_io, 2);
	assert_int_equal(io[0].rate, 2 << 20);
}

static void an_empty_config_has_no_limits(void **state)
{
	img_auto(img_mem_release) struct cgroup_io *io = NULL;
	struct cgroup_limits limits;

	limits_get(NULL, &limits, &io);
	assert_false(cgroup_limits_any(&limits));
}

static void assert_refused(const struct limit_options *o, const char *why)
{
	img_auto(drop) json_t *host = json_object();
	struct img_err err = { 0 };

	assert_int_equal(limits_put(host, o, &err), -IMG_E_INPUT);
	assert_non_null(strstr(err.msg, why));
}

static void what_makes_no_sense_is_refused(void **state)
{
	const char *path[] = { "sda:1m" }, *rate[] = { "/dev/sda:fast" };

	assert_refused(&(struct limit_options){ .memory = "1m" }, "6 MiB");
	assert_refused(&(struct limit_options){ .memory = "lots" }, "--memory");
	assert_refused(&(struct limit_options){ .memory_swap = "1g" },
		       "give --memory, too");
	assert_refused(&(struct limit_options){ .memory = "20m",
						.memory_swap = "10m" },
		       "--memory-swap");
	assert_refused(&(struct limit_options){ .cpus = "1",
						.cpu_period = "5" },
		       "--cpus is --cpu-quota");
	assert_refused(&(struct limit_options){ .cpus = "-1" }, "--cpus");
	assert_refused(&(struct limit_options){ .cpus = "nan" }, "--cpus");
	assert_refused(&(struct limit_options){ .cpus = "1x" }, "--cpus");
	assert_refused(&(struct limit_options){ .cpuset_cpus = "0;1" },
		       "--cpuset-cpus");
	assert_refused(&(struct limit_options){ .pids = "-2" }, "--pids-limit");
	assert_refused(&(struct limit_options){ .blkio_weight = "5" },
		       "--blkio-weight");
	assert_refused(
		&(struct limit_options){
			.io[CGROUP_IO_READ_BPS] = { path, 1 } },
		"the path of a device");
	assert_refused(
		&(struct limit_options){
			.io[CGROUP_IO_READ_BPS] = { rate, 1 } },
		"--device-read-bps");
}

static void of_run_alone(void **state)
{
	img_auto(drop) json_t *host = json_object();
	struct img_err err = { 0 };

	assert_int_equal(limits_put_run(host,
					&(struct limit_run_options){
						.oom_score = "-7",
						.cgroup_parent = "/a/b" },
					&err),
			 0);
	assert_int_equal(
		json_integer_value(json_object_get(host, "OomScoreAdj")), -7);
	assert_string_equal(
		json_string_value(json_object_get(host, "CgroupParent")),
		"/a/b");
	assert_int_equal(limits_put_run(host,
					&(struct limit_run_options){
						.oom_kill_disable = true },
					&err),
			 -IMG_E_UNSUPPORTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_typed_comes_back),
		cmocka_unit_test(what_is_not_said_stays),
		cmocka_unit_test(an_empty_config_has_no_limits),
		cmocka_unit_test(what_makes_no_sense_is_refused),
		cmocka_unit_test(of_run_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
