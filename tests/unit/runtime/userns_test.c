#include "runtime/userns.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void assert_failure(int number, enum img_code code, const char *part)
{
	struct img_err err = { 0 };

	errno = number;
	assert_int_equal(userns_failed(&err), -(int)code);
	assert_non_null(strstr(err.msg, part));
	assert_int_equal(strstr(err.msg, "'--userns host'") != NULL,
			 code == IMG_E_UNSUPPORTED);
}

static void what_a_kernel_lacks_is_said_with_the_way_around(void **state)
{
	assert_failure(EINVAL, IMG_E_UNSUPPORTED, "has no user namespaces");
	assert_failure(ENOSYS, IMG_E_UNSUPPORTED, "has no user namespaces");
	assert_failure(ENOSPC, IMG_E_UNSUPPORTED, "/proc/sys/user");
	assert_failure(EUSERS, IMG_E_UNSUPPORTED, "/proc/sys/user");
	assert_failure(EPERM, IMG_E_UNSUPPORTED, "refuses");
	assert_failure(EAGAIN, IMG_E_SYS, "cannot make the namespaces");
}

static void what_cannot_be_mapped_is_said(void **state)
{
	const struct userns ns = { 100000, 200000 };
	struct img_err err = { 0 };
	int fd = -1;

	/* This process's own namespace has its map already, or may not. */
	assert_true(userns_map(getpid(), &ns, &fd, &err) < 0);
	assert_non_null(strstr(err.msg, "cannot map the container's ids"));
	assert_int_equal(fd, -1);
	/* No mount, and no namespace. */
	assert_true(userns_map_mount(STDIN_FILENO, STDIN_FILENO, true) < 0);
}

static void zero_is_the_hosts(void **state)
{
	assert_false(userns_is_own(&(struct userns){ 0 }));
	assert_true(userns_is_own(&(struct userns){ 65536, 65536 }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			what_a_kernel_lacks_is_said_with_the_way_around),
		cmocka_unit_test(what_cannot_be_mapped_is_said),
		cmocka_unit_test(zero_is_the_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
