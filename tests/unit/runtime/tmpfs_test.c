#include "runtime/tmpfs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_taken(const char *options)
{
	struct img_err err = { 0 };

	if (tmpfs_check(options, &err) < 0)
		fail_msg("%s", err.msg);
}

static void assert_refused(const char *options, const char *message)
{
	struct img_err err = { 0 };

	assert_int_equal(tmpfs_check(options, &err), -IMG_E_INPUT);
	assert_string_equal(err.msg, message);
}

static void options_of_mount_and_of_tmpfs_are_taken(void **state)
{
	assert_taken(NULL);
	assert_taken("");
	assert_taken("size=64m");
	assert_taken("rw,noexec,nosuid,size=65536k,mode=1777");
	assert_taken("exec,suid,dev,ro,uid=1000,gid=1000,nr_inodes=10");
	assert_taken("noatime,,nr_blocks=3");
}

static void others_are_named(void **state)
{
	assert_refused("size", "tmpfs: unknown option 'size'");
	assert_refused("rw,huge=always", "tmpfs: unknown option 'huge=always'");
	assert_refused("ro=1", "tmpfs: unknown option 'ro=1'");
	assert_refused("siz=1", "tmpfs: unknown option 'siz=1'");
	assert_refused("bind", "tmpfs: unknown option 'bind'");
	assert_refused("mode=0000000000000000000000000000000000000000000000000"
		       "0000000000000000755",
		       "tmpfs: the option 'mode=00000000000000000000000000000"
		       "000000000000000000000000000000000000755' is longer "
		       "than 63 bytes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_of_mount_and_of_tmpfs_are_taken),
		cmocka_unit_test(others_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
