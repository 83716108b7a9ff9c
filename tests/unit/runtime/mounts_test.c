#include "runtime/mounts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void nothing_is_no_work(void **state)
{
	struct img_err err = { 0 };
	struct bind_tree *trees = NULL;

	assert_int_equal(mounts_open(NULL, 0, false, &trees, &err), 0);
	assert_null(trees);
	assert_int_equal(mounts_attach(-1, NULL, 0, NULL, false, &err), 0);
	mounts_release(&trees, 0);
}

static void assert_refused(const struct container_mount *m, const char *message)
{
	struct img_err err = { 0 };
	struct bind_tree *trees = NULL;

	assert_true(mounts_open(m, 1, false, &trees, &err) < 0);
	assert_string_equal(err.msg, message);
	mounts_release(&trees, 1);
	assert_null(trees);
}

static void what_is_no_device_is_refused(void **state)
{
	struct container_mount m = { .kind = MOUNT_DEVICE,
				     .source = "/",
				     .target = "/dev/x" };

	assert_refused(&m, "'/' is not a device");
	m.source = "/nowhere/at/all";
	assert_refused(&m, "cannot use the device '/nowhere/at/all': No such "
			   "file or directory");
}

static void what_the_child_makes_waits_for_it(void **state)
{
	const struct container_mount m = { .kind = MOUNT_TMPFS,
					   .target = "/run" };
	struct img_err err = { 0 };
	struct bind_tree *trees = NULL;

	assert_int_equal(mounts_open(&m, 1, false, &trees, &err), 0);
	assert_int_equal(trees[0].fd, -1);
	mounts_release(&trees, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_no_work),
		cmocka_unit_test(what_is_no_device_is_refused),
		cmocka_unit_test(what_the_child_makes_waits_for_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
