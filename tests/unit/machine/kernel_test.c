#include "machine/kernel.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static void a_missing_kernel_names_the_package(void **state)
{
	static const char *const searches[] = { "", "/nowhere",
						":::", "relative", "/etc" };

	for (size_t i = 0; i < IMG_COUNT(searches); i++) {
		struct img_err err = { 0 };

		assert_null(kernel_find(searches[i], &err));
		assert_int_equal(err.code, IMG_E_NOT_FOUND);
		assert_string_equal(err.msg,
				    "linux.uml is not installed: install the "
				    "package user-mode-linux");
	}
}

static void missing_modules_name_the_package(void **state)
{
	struct img_err err = { 0 };

	assert_int_equal(kernel_check_modules("/nowhere", &err),
			 -IMG_E_NOT_FOUND);
	assert_string_equal(err.msg, "linux.uml has no modules in /nowhere: "
				     "install the package user-mode-linux");
	err = (struct img_err){ 0 };
	assert_int_equal(kernel_check_modules("/", &err), 0);
}

static void the_kernel_is_found_along_the_path(void **state)
{
	char dir[] = "/tmp/img-kernel-test-XXXXXX";
	img_auto(img_mem_release) char *file = NULL;
	img_auto(img_mem_release) char *search = NULL;
	img_auto(img_mem_release) char *found = NULL;
	struct img_err err = { 0 };
	int fd;

	assert_non_null(mkdtemp(dir));
	file = mem_printf("%s/linux.uml", dir);
	search = mem_printf("/nowhere:%s:/also-nowhere", dir);
	fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_null(kernel_find(search, &err)); /* no program yet */
	assert_int_equal(fchmod(fd, 0755), 0);
	img_fd_release(&fd);
	err = (struct img_err){ 0 };
	found = kernel_find(search, &err);
	assert_non_null(found);
	assert_string_equal(found, file);
	assert_int_equal(file_remove_tree(AT_FDCWD, dir, &err), 0);
}

static bool has(char **list, const char *text)
{
	for (size_t i = 0; list[i]; i++)
		if (strcmp(list[i], text) == 0)
			return true;
	return false;
}

static void the_command_line_says_what_was_asked(void **state)
{
	struct kernel_command command = { .kernel = "/k/linux.uml",
					  .dir = "/tmp/d",
					  .mem_bytes = 3u << 30 };
	img_auto(kernel_strings_release) char **quiet = kernel_argv(&command);
	img_auto(kernel_strings_release) char **loud = NULL;

	assert_string_equal(quiet[0], "/k/linux.uml");
	assert_true(has(quiet, "mem=3145728K"));
	assert_true(has(quiet, "ro"));
	assert_true(has(quiet, "init=/tmp/d/init"));
	assert_true(has(quiet, "uml_dir=/tmp/d/"));
	assert_true(has(quiet, "quiet"));
	assert_true(has(quiet, KERNEL_INIT_WORD));
	command.verbose = true;
	loud = kernel_argv(&command);
	assert_false(has(loud, "quiet"));
}

static void the_kernel_gets_nothing_of_our_environment(void **state)
{
	/* more memory than any /dev/shm has: it goes to the private
	 * directory */
	const struct kernel_command command = { .kernel = "/k",
						.dir = "/tmp/d",
						.mem_bytes = UINT64_MAX / 2 };
	img_auto(kernel_strings_release) char **env = kernel_env(&command);

	assert_true(has(env, "LD_PRELOAD=/tmp/d/preload.so"));
	assert_true(has(env, "HOME=/tmp/d"));
	assert_true(has(env, "TMPDIR=/tmp/d"));
	assert_null(env[3]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_missing_kernel_names_the_package),
		cmocka_unit_test(missing_modules_name_the_package),
		cmocka_unit_test(the_kernel_is_found_along_the_path),
		cmocka_unit_test(the_command_line_says_what_was_asked),
		cmocka_unit_test(the_kernel_gets_nothing_of_our_environment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
