#include "machine/state.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cmocka.h>

#define SIZE (UINT64_C(64) << 20)

static char dir[64];
static int formatted;

static int format(int fd, uint64_t size_bytes, void *self, struct img_err *err)
{
	formatted++;
	if (self)
		return img_err_set(err, IMG_E_NO_SPACE, 0, "no room");
	assert_int_equal(size_bytes, SIZE);
	return file_pwrite(fd, "ext4", 4, 1024, "it", err);
}

static struct machine_options options = { .state_bytes = SIZE,
					  .format_state = format };

static int begin(void **state)
{
	(void)strcpy(dir, "/tmp/img-state-test-XXXXXX");
	assert_non_null(mkdtemp(dir));
	formatted = 0;
	options.state_self = NULL;
	return 0;
}

static int end(void **state)
{
	struct img_err err = { 0 };

	assert_int_equal(file_remove_tree(AT_FDCWD, dir, &err), 0);
	return 0;
}

static char *in_dir(const char *name)
{
	return mem_printf("%s/%s", dir, name);
}

static void a_missing_one_is_made_with_its_directory(void **state)
{
	img_auto(img_mem_release) char *path = in_dir("a/b/state");
	img_auto(img_mem_release) char *temp = in_dir("a/b/state.new");
	img_auto(img_fd_release) int fd = -1;
	struct img_err err = { 0 };
	struct stat st;

	assert_int_equal(state_open(path, &options, &fd, &err), 0);
	assert_int_equal(formatted, 1);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, SIZE);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_true(st.st_blocks < 64);
	assert_int_equal(access(temp, F_OK), -1);
	img_fd_release(&fd);
	assert_int_equal(state_open(path, &options, &fd, &err), 0);
	assert_int_equal(formatted, 1); /* not again */
}

static void a_leftover_of_a_crash_is_replaced(void **state)
{
	img_auto(img_mem_release) char *path = in_dir("state");
	img_auto(img_mem_release) char *temp = in_dir("state.new");
	img_auto(img_fd_release) int fd = -1;
	struct img_err err = { 0 };
	char byte = 'x';

	assert_int_equal(file_replace(AT_FDCWD, temp, "half", 4, false, &err),
			 0);
	assert_int_equal(state_open(path, &options, &fd, &err), 0);
	assert_int_equal(access(temp, F_OK), -1);
	assert_int_equal(pread(fd, &byte, 1, 0), 1);
	assert_int_equal(byte, 0);
}

static void what_cannot_be_formatted_is_not_left(void **state)
{
	img_auto(img_mem_release) char *path = in_dir("state");
	img_auto(img_mem_release) char *temp = in_dir("state.new");
	img_auto(img_mem_release) char *want = NULL;
	struct img_err err = { 0 };
	int fd = -1;

	options.state_self = dir;
	assert_int_equal(state_open(path, &options, &fd, &err),
			 -IMG_E_NO_SPACE);
	want = mem_printf("cannot make the state disk %s: no room", path);
	assert_string_equal(err.msg, want);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(access(temp, F_OK), -1);
	assert_int_equal(fd, -1);
}

static void refused(const char *path, int code, const char *what)
{
	img_auto(img_mem_release) char *want =
		mem_printf("the state disk %s%s", path, what);
	struct img_err err = { 0 };
	int fd = -1;

	assert_int_equal(state_open(path, &options, &fd, &err), -code);
	assert_string_equal(err.msg, want);
	assert_int_equal(fd, -1);
	assert_int_equal(formatted, 0);
}

static void bad_ones_are_refused_and_untouched(void **state)
{
	img_auto(img_mem_release) char *empty = in_dir("empty");
	img_auto(img_mem_release) char *small = in_dir("small");
	img_auto(img_mem_release) char *text = NULL;
	struct img_err err = { 0 };

	assert_int_equal(file_replace(AT_FDCWD, empty, "", 0, false, &err), 0);
	assert_int_equal(file_replace(AT_FDCWD, small, "abc", 3, false, &err),
			 0);
	refused(dir, IMG_E_INPUT, " is a directory");
	refused("/dev/null", IMG_E_INPUT, " is not a regular file");
	refused(empty, IMG_E_CORRUPT,
		" is empty: remove it, and the next call "
		"makes it anew");
	refused(small, IMG_E_CORRUPT, " is damaged: it ends after 3 bytes");
	assert_int_equal(file_read_all(AT_FDCWD, small, 9, &text, NULL, &err),
			 0);
	assert_string_equal(text, "abc");
}

static void one_in_use_is_refused(void **state)
{
	img_auto(img_mem_release) char *path = in_dir("state");
	img_auto(img_mem_release) char *other = in_dir("other");
	img_auto(img_mem_release) char *temp = in_dir("other.new");
	img_auto(img_fd_release) int fd = -1;
	img_auto(img_fd_release) int made = -1;
	struct img_err err = { 0 };

	assert_int_equal(state_open(path, &options, &fd, &err), 0);
	formatted = 0;
	refused(path, IMG_E_BUSY, " is in use by another machine");
	made = open(temp, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(flock(made, LOCK_EX), 0);
	refused(other, IMG_E_BUSY, " is in use by another machine");
}

static void expect_path(const char *want)
{
	img_auto(img_mem_release) char *path = NULL;
	struct img_err err = { 0 };

	assert_int_equal(machine_state_path(&path, &err), 0);
	assert_string_equal(path, want);
}

static void the_usual_place_follows_the_environment(void **state)
{
	struct img_err err = { 0 };
	char *path = NULL;

	(void)unsetenv("XDG_DATA_HOME");
	(void)unsetenv("HOME");
	(void)setenv("IMG_STATE", "/there", 1);
	expect_path("/there");
	(void)setenv("IMG_STATE", "", 1);
	if (geteuid() == 0) {
		expect_path("/var/lib/img/machine.state");
		return;
	}
	assert_int_equal(machine_state_path(&path, &err), -IMG_E_INPUT);
	assert_string_equal(err.msg, "no place for the state disk: HOME is "
				     "not set; use --state FILE");
	(void)setenv("HOME", "/home/u", 1);
	expect_path("/home/u/.local/share/img/machine.state");
	(void)setenv("XDG_DATA_HOME", "/data", 1);
	expect_path("/data/img/machine.state");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_missing_one_is_made_with_its_directory, begin, end),
		cmocka_unit_test_setup_teardown(
			a_leftover_of_a_crash_is_replaced, begin, end),
		cmocka_unit_test_setup_teardown(
			what_cannot_be_formatted_is_not_left, begin, end),
		cmocka_unit_test_setup_teardown(
			bad_ones_are_refused_and_untouched, begin, end),
		cmocka_unit_test_setup_teardown(one_in_use_is_refused, begin,
						end),
		cmocka_unit_test(the_usual_place_follows_the_environment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
