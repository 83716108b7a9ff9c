#include "runtime/ulimit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>

#include <cmocka.h>

static void assert_parses(const char *text, int resource, uint64_t soft,
			  uint64_t hard)
{
	struct img_err err = { 0 };
	struct ulimit limit;

	if (ulimit_parse(text, &limit, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(limit.resource, resource);
	assert_int_equal(limit.soft, soft);
	assert_int_equal(limit.hard, hard);
}

static void assert_refused(const char *text, const char *why)
{
	struct img_err err = { 0 };
	struct ulimit limit;
	char expected[256];

	assert_int_equal(ulimit_parse(text, &limit, &err), -IMG_E_INPUT);
	snprintf(expected, sizeof(expected), "invalid --ulimit '%s': %s", text,
		 why);
	assert_string_equal(err.msg, expected);
}

static void names_and_values_are_taken(void **state)
{
	assert_parses("nofile=1024:2048", RLIMIT_NOFILE, 1024, 2048);
	assert_parses("nproc=5", RLIMIT_NPROC, 5, 5);
	assert_parses("core=0", RLIMIT_CORE, 0, 0);
	assert_parses("core=-1", RLIMIT_CORE, ULIMIT_NONE, ULIMIT_NONE);
	assert_parses("memlock=64:unlimited", RLIMIT_MEMLOCK, 64, ULIMIT_NONE);
	assert_string_equal(ulimit_name(RLIMIT_RTTIME), "rttime");
}

static void nonsense_is_refused(void **state)
{
	assert_refused("nofile", "expected NAME=SOFT[:HARD]");
	assert_refused("", "expected NAME=SOFT[:HARD]");
	assert_refused("as=1", "there is no limit 'as'");
	assert_refused("=1", "there is no limit ''");
	assert_refused("nofile=2:1", "the soft limit is above the hard one");
	assert_refused("nofile=-1:1", "the soft limit is above the hard one");
	assert_refused("nofile=11111111111111111111111111",
		       "'11111111111111111111111111' is no number");
}

static void a_process_gets_them(void **state)
{
	struct rlimit64 before, now;
	struct ulimit limit = { .resource = RLIMIT_CORE };
	struct img_err err = { 0 };

	assert_int_equal(getrlimit64(RLIMIT_CORE, &before), 0);
	limit.hard = before.rlim_max;
	assert_int_equal(ulimits_make_room(&limit, 1, &err), 0);
	assert_int_equal(ulimits_set(&limit, 1, &err), 0);
	assert_int_equal(getrlimit64(RLIMIT_CORE, &now), 0);
	assert_int_equal(now.rlim_cur, 0);
	assert_int_equal(now.rlim_max, before.rlim_max);
	limit.soft = 1;
	limit.hard = 0;
	assert_true(ulimits_set(&limit, 1, &err) < 0);
	assert_string_equal(err.msg,
			    "cannot set the limit 'core': Invalid argument");
	assert_int_equal(setrlimit64(RLIMIT_CORE, &before), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_values_are_taken),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(a_process_gets_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
