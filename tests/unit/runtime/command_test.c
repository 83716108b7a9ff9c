#include "tests/unit/runtime/image_dir.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "runtime/command.h"

#include <limits.h>
#include <sys/wait.h>

/* Directories one and two of a search path, with @name in @in. */
static char *search_path(const struct image_dir *dir, const char *in,
			 const char *name, mode_t mode)
{
	char file[128];

	(void)mkdirat(dir->fd, "one", 0755);
	(void)mkdirat(dir->fd, "two", 0755);
	if (in) {
		snprintf(file, sizeof(file), "%s/%s", in, name);
		image_dir_puts(dir, file, "#!/bin/sh\nexit 5\n");
		assert_int_equal(fchmodat(dir->fd, file, mode, 0), 0);
	}
	return mem_printf("%s/one:%s/two", dir->path, dir->path);
}

static void assert_find(const char *name, const char *path,
			const char *expected)
{
	struct img_err err = { 0 };
	char out[PATH_MAX];
	int status = 0;

	if (command_find(name, path, out, sizeof(out), &status, &err) < 0)
		fail_msg("%s", err.msg);
	assert_string_equal(out, expected);
}

static void assert_not_found(const char *name, const char *path, int expected,
			     const char *message)
{
	struct img_err err = { 0 };
	char out[PATH_MAX];
	int status = 0;

	assert_true(command_find(name, path, out, sizeof(out), &status, &err) <
		    0);
	assert_int_equal(status, expected);
	assert_string_equal(err.msg, message);
}

static void the_path_is_searched_in_order(void **state)
{
	struct image_dir *dir = *state;
	img_auto(img_mem_release) char *path = NULL;
	char expected[128];

	path = search_path(dir, "two", "prog", 0755);
	snprintf(expected, sizeof(expected), "%s/two/prog", dir->path);
	assert_find("prog", path, expected);
	img_mem_release(&path);
	path = search_path(dir, "one", "prog", 0755);
	snprintf(expected, sizeof(expected), "%s/one/prog", dir->path);
	assert_find("prog", path, expected);
	assert_find("./prog", path, "./prog");
	assert_find("/x/y", path, "/x/y");
}

static void what_cannot_be_executed_is_passed_over(void **state)
{
	struct image_dir *dir = *state;
	img_auto(img_mem_release) char *path = NULL;
	char expected[128];

	path = search_path(dir, "one", "prog", 0644);
	assert_not_found("prog", path, 126, "\"prog\": Permission denied");
	img_mem_release(&path);
	path = search_path(dir, "two", "prog", 0755);
	snprintf(expected, sizeof(expected), "%s/two/prog", dir->path);
	assert_find("prog", path, expected);
	assert_int_equal(mkdirat(dir->fd, "one/dir", 0755), 0);
	assert_not_found("dir", path, 127,
			 "\"dir\": executable file not found in $PATH");
}

static void what_is_nowhere_is_127(void **state)
{
	img_auto(img_mem_release) char *path = NULL;

	path = search_path(*state, NULL, NULL, 0);
	assert_not_found("foo", path, 127,
			 "\"foo\": executable file not found in $PATH");
	assert_not_found("foo", "", 127,
			 "\"foo\": executable file not found in $PATH");
	assert_not_found("", path, 127,
			 "\"\": executable file not found in $PATH");
}

static void too_long_is_neither_a_crash_nor_a_program(void **state)
{
	char *name = malloc(PATH_MAX + 2);
	struct img_err err = { 0 };
	char out[PATH_MAX];
	int status = 0;

	memset(name, 'a', PATH_MAX + 1);
	name[PATH_MAX + 1] = '\0';
	assert_int_equal(command_find(name, "/bin:/usr/bin", out, sizeof(out),
				      &status, &err),
			 -IMG_E_NOT_FOUND);
	assert_int_equal(status, 127);
	name[0] = '/';
	err = (struct img_err){ 0 };
	assert_int_equal(command_find(name, "", out, sizeof(out), &status,
				      &err),
			 -IMG_E_INPUT);
	assert_int_equal(status, 126);
	free(name);
}

/* Execs in a child; its status, with the message through a pipe. */
static int exec_status(char *program, const char *path, char message[512])
{
	char *argv[] = { program, NULL };
	int fds[2], wstatus;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct img_err err = { 0 };
		int status = 0;

		command_exec(argv, argv + 1, path, &status, &err);
		(void)!write(fds[1], err.msg, sizeof(err.msg));
		_exit(status);
	}
	close(fds[1]);
	n = read(fds[0], message, 511);
	message[n > 0 ? n : 0] = '\0';
	close(fds[0]);
	assert_int_equal(waitpid(pid, &wstatus, 0), pid);
	assert_true(WIFEXITED(wstatus));
	return WEXITSTATUS(wstatus);
}

static void each_failure_of_exec_has_its_status(void **state)
{
	struct image_dir *dir = *state;
	img_auto(img_mem_release) char *path = NULL;
	char program[128], message[512], expected[256], name[] = "prog";

	path = search_path(dir, "one", "prog", 0755);
	assert_int_equal(exec_status(name, path, message), 5);

	image_dir_puts(dir, "one/prog", "no format at all");
	assert_int_equal(exec_status(name, path, message), 126);
	assert_string_equal(message, "\"prog\": Exec format error");

	image_dir_puts(dir, "one/prog", "#!/nowhere/sh\n");
	assert_int_equal(exec_status(name, path, message), 127);
	assert_string_equal(message, "\"prog\": its interpreter or loader is "
				     "not in the image");

	snprintf(program, sizeof(program), "%s/one", dir->path);
	snprintf(expected, sizeof(expected), "\"%s\": Is a directory", program);
	assert_int_equal(exec_status(program, path, message), 126);
	assert_string_equal(message, expected);

	snprintf(program, sizeof(program), "%s/none", dir->path);
	snprintf(expected, sizeof(expected),
		 "\"%s\": No such file or directory", program);
	assert_int_equal(exec_status(program, path, message), 127);
	assert_string_equal(message, expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_image(the_path_is_searched_in_order),
		test_in_image(what_cannot_be_executed_is_passed_over),
		test_in_image(what_is_nowhere_is_127),
		cmocka_unit_test(too_long_is_neither_a_crash_nor_a_program),
		test_in_image(each_failure_of_exec_has_its_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
