#include "runtime/mounts.h"

#include "base/file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static void nothing_is_no_work(void **state)
{
	struct img_err err = { 0 };
	struct bind_tree *trees = NULL;

	assert_int_equal(mounts_open(-1, NULL, 0, false, &trees, &err), 0);
	assert_null(trees);
	assert_int_equal(mounts_attach(-1, NULL, 0, NULL, false, &err), 0);
	mounts_release(&trees, 0);
}

static void assert_refused(const struct container_mount *m, const char *message)
{
	struct img_err err = { 0 };
	struct bind_tree *trees = NULL;

	assert_true(mounts_open(-1, m, 1, false, &trees, &err) < 0);
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

	assert_int_equal(mounts_open(-1, &m, 1, false, &trees, &err), 0);
	assert_int_equal(trees[0].fd, -1);
	mounts_release(&trees, 1);
}

static void a_file_is_written_only_where_it_is_mounted(void **state)
{
	char dir[] = "/tmp/img-mounts-test-XXXXXX", path[64];
	struct container_mount m = { .kind = MOUNT_BIND,
				     .source = path,
				     .target = "/nowhere/at/all",
				     .text = "text\n",
				     .own = true,
				     .if_there = true };
	struct bind_tree *trees = NULL;
	struct img_err err = { 0 };
	char text[8] = "";
	FILE *file;
	int root;

	assert_non_null(mkdtemp(dir));
	root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(root >= 0);
	snprintf(path, sizeof(path), "%s/made/file", dir);
	assert_int_equal(mounts_open(root, &m, 1, false, &trees, &err), 0);
	assert_int_equal(trees[0].fd, -1);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(mounts_attach(root, &m, 1, trees, false, &err), 0);
	mounts_release(&trees, 1);
	/* Who may not mount gets no further than the file. */
	m.target = "/proc";
	IMG_IGNORE(mounts_open(root, &m, 1, false, &trees, &err));
	mounts_release(&trees, 1);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_non_null(fgets(text, sizeof(text), file));
	assert_string_equal(text, "text\n");
	fclose(file);
	close(root);
	err = (struct img_err){ 0 };
	assert_int_equal(file_remove_tree(AT_FDCWD, dir, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_no_work),
		cmocka_unit_test(what_is_no_device_is_refused),
		cmocka_unit_test(what_the_child_makes_waits_for_it),
		cmocka_unit_test(a_file_is_written_only_where_it_is_mounted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
