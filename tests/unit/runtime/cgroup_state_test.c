#include "runtime/cgroup_state.h"

#include "tests/lib/made_cgroup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void what_is_frozen_stands_still(void **state)
{
	struct made_cgroup *c = *state;
	struct img_err err = { 0 };
	char text[8];

	made_write(c->dir, "cgroup.freeze", "0\n");
	made_write(c->dir, "cgroup.events", "populated 1\nfrozen 1\n");
	assert_int_equal(cgroup_is_frozen(c->dir, &err), 1);
	assert_int_equal(cgroup_freeze(c->dir, true, &err), 0);
	assert_int_equal(*made_read(c->dir, "cgroup.freeze", text, 8), '1');
	made_write(c->dir, "cgroup.events", "populated 1\nfrozen 0\n");
	assert_int_equal(cgroup_is_frozen(c->dir, &err), 0);
	assert_int_equal(cgroup_freeze(c->dir, false, &err), 0);
	assert_int_equal(*made_read(c->dir, "cgroup.freeze", text, 8), '0');
}

static void what_ends_meanwhile_has_ended(void **state)
{
	struct made_cgroup *c = *state;
	struct img_err err = { 0 };

	made_write(c->dir, "cgroup.freeze", "0\n");
	assert_int_equal(unlinkat(c->dir, "cgroup.procs", 0), 0);
	assert_true(cgroup_freeze(c->dir, true, &err) < 0);
	assert_string_equal(err.msg, "the container has ended");
	memset(&err, 0, sizeof(err));
	assert_true(cgroup_is_frozen(c->dir, &err) < 0);
	assert_string_equal(err.msg, "the container has ended");

	/* Before the first write already. */
	memset(&err, 0, sizeof(err));
	assert_int_equal(unlinkat(c->dir, "cgroup.freeze", 0), 0);
	assert_true(cgroup_freeze(c->dir, true, &err) < 0);
	assert_string_equal(err.msg, "the container has ended");
}

static void what_cannot_be_frozen_says_so(void **state)
{
	struct made_cgroup *c = *state;
	struct img_err err = { 0 };

	made_write(c->dir, "cgroup.events", "populated 1\nfrozen 0\n");
	assert_true(cgroup_freeze(c->dir, true, &err) < 0);
	assert_non_null(strstr(err.msg, "cgroup.freeze"));
}

static void kills_are_counted(void **state)
{
	struct made_cgroup *c = *state;

	assert_int_equal(cgroup_oom_kills(c->dir), 0);
	made_write(c->dir, "memory.events", "oom 3\noom_kill 2\n");
	assert_int_equal(cgroup_oom_kills(c->dir), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_cgroup(what_is_frozen_stands_still),
		test_in_cgroup(what_ends_meanwhile_has_ended),
		test_in_cgroup(what_cannot_be_frozen_says_so),
		test_in_cgroup(kills_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
