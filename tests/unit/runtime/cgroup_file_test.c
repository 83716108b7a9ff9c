#include "runtime/cgroup_file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/lib/made_cgroup.h"

static void keys_are_whole_words_at_the_start_of_a_line(void **state)
{
	static const char text[] = "usage_usec 12\nnr 3\noom 4\noom_kill 5\n";
	uint64_t n = 77;

	assert_true(cgroup_find_key(text, "usage_usec", &n));
	assert_int_equal(n, 12);
	assert_true(cgroup_find_key(text, "oom_kill", &n));
	assert_int_equal(n, 5);
	assert_true(cgroup_find_key(text, "oom", &n));
	assert_int_equal(n, 4);
	assert_false(cgroup_find_key(text, "kill", &n));
	assert_false(cgroup_find_key(text, "usage", &n));
	assert_false(cgroup_find_key("", "usage", &n));
}

static void words_are_whole(void **state)
{
	assert_true(cgroup_has_word("cpuset cpu io\n", "cpu"));
	assert_true(cgroup_has_word("cpuset cpu io\n", "io"));
	assert_true(cgroup_has_word("cpu", "cpu"));
	assert_false(cgroup_has_word("cpuset io\n", "cpu"));
	assert_false(cgroup_has_word("rdma\n", "io"));
	assert_false(cgroup_has_word("\n", "io"));
}

static void numbers_and_max(void **state)
{
	const struct made_cgroup *made = *state;
	struct img_err err = { 0 };
	uint64_t n;

	made_write(made->dir, "memory.max", "max\n");
	assert_int_equal(cgroup_read_number(made->dir, "memory.max", &n, &err),
			 0);
	assert_true(n == CGROUP_MAX);
	made_write(made->dir, "memory.max", "4096\n");
	assert_int_equal(cgroup_read_number(made->dir, "memory.max", &n, &err),
			 0);
	assert_int_equal(n, 4096);
	made_write(made->dir, "memory.max", "?\n");
	assert_int_equal(cgroup_read_number(made->dir, "memory.max", &n, &err),
			 -IMG_E_CORRUPT);
	assert_string_equal(err.msg, "the cgroup's memory.max is no number");
}

static void what_is_missing_is_not_made(void **state)
{
	const struct made_cgroup *made = *state;
	struct img_err err = { 0 };

	assert_int_equal(cgroup_write(made->dir, "pids.max", "5", &err),
			 -IMG_E_NOT_FOUND);
	assert_int_equal(faccessat(made->dir, "pids.max", F_OK, 0), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_whole_words_at_the_start_of_a_line),
		cmocka_unit_test(words_are_whole),
		test_in_cgroup(numbers_and_max),
		test_in_cgroup(what_is_missing_is_not_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
