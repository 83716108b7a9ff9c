#include "image/rootfs.h"

#include "base/num.h"
#include "tests/lib/made_rootfs.h"
#include "tests/lib/tar_make.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Imports that end before their time, and how they say why. */

static void a_full_volume_names_the_entry(void **state)
{
	struct made_rootfs *f = *state;
	char *big = mem_zalloc(62 * MIB);

	tar_make_file(&f->tar, "small", "x");
	tar_make_entry(&f->tar, &(struct tar_header){ .name = "big" }, big,
		       62 * MIB);
	made_refused(f, &made_plain, IMG_E_NO_SPACE,
		     "entry 2 'big' does not fit in a volume of 64.0 MiB");
	free(big);
}

static void inodes_run_out_by_name(void **state)
{
	struct made_rootfs *f = *state;
	char name[16];

	for (int i = 0; i < 4200; i++) {
		(void)snprintf(name, sizeof(name), "%d", i);
		tar_make_file(&f->tar, name, "");
	}
	made_refused(f, &made_plain, IMG_E_NO_SPACE,
		     "entry 4087 '4086' is one file more than the volume has "
		     "inodes, 4087");
}

static void limits_and_sizes_are_checked(void **state)
{
	struct rootfs_options options = made_plain;
	struct made_rootfs *f = *state;

	options.max_entries = 2;
	tar_make_dir(&f->tar, "a/b/c");
	made_refused(f, &options, IMG_E_INPUT,
		     "entry 1 'a/b/c' is beyond the limit of 2 entries");
	options.label = "more than 16 bytes";
	tar_make_dir(&f->tar, "a");
	made_refused(f, &options, IMG_E_INPUT,
		     "file system label 'more than 16 bytes' is longer than 16 "
		     "bytes");
	f->image.size_bytes = 15 * MIB;
	tar_make_dir(&f->tar, "a");
	made_refused(
		f, &made_plain, IMG_E_INPUT,
		"a volume of 15.0 MiB is too small for a file system: 16 MiB "
		"at least");
}

static bool stopped(void *self)
{
	return true;
}

static void a_stop_is_heeded(void **state)
{
	const struct progress progress = { .stopped = stopped };
	struct rootfs_options options = made_plain;
	struct made_rootfs *f = *state;
	char *big = mem_zalloc(3 * MIB);

	options.progress = &progress;
	tar_make_entry(&f->tar, &(struct tar_header){ .name = "big" }, big,
		       3 * MIB);
	made_refused(f, &options, IMG_E_INTERRUPTED, "interrupted");
	free(big);
}

static void device_errors_are_told(void **state)
{
	struct img_err err = { 0 };
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	assert_int_equal(rootfs_format_empty(fd, 64 * MIB, &made_plain, &err),
			 -IMG_E_NO_SPACE);
	assert_string_equal(err.msg,
			    "does not fit: what lies under the volume is full: "
			    "No space left on device");
	(void)close(fd);
	err = (struct img_err){ 0 };
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(rootfs_format_empty(fd, 64 * MIB, &made_plain, &err),
			 -IMG_E_SYS);
	assert_non_null(strstr(err.msg, "cannot write to the volume at byte "));
	assert_non_null(strstr(err.msg, ": Bad file descriptor"));
	(void)close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_rootfs(a_full_volume_names_the_entry),
		test_in_rootfs(inodes_run_out_by_name),
		test_in_rootfs(limits_and_sizes_are_checked),
		test_in_rootfs(a_stop_is_heeded),
		cmocka_unit_test(device_errors_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
