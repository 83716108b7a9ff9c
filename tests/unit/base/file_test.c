#include "base/file.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "tests/lib/fault.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

/* A directory to play in, as path and open. */
struct dir {
	char path[40];
	int fd;
};

static int setup(void **state)
{
	struct dir *dir = mem_zalloc(sizeof(*dir));

	strcpy(dir->path, "/tmp/img-test-XXXXXX");
	assert_non_null(mkdtemp(dir->path));
	dir->fd = open(dir->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(dir->fd >= 0);
	*state = dir;
	return 0;
}

static int teardown(void **state)
{
	struct dir *dir = *state;
	struct img_err err = { 0 };

	(void)close(dir->fd); /* only a directory */
	if (file_remove_tree(AT_FDCWD, dir->path, &err) < 0)
		fail_msg("%s", err.msg);
	free(dir);
	return 0;
}

static void put(const struct dir *dir, const char *name, const char *text)
{
	img_auto(img_fd_release) int fd = openat(
		dir->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static bool exists(const struct dir *dir, const char *name)
{
	return faccessat(dir->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void assert_text(const struct dir *dir, const char *name,
			const char *expected)
{
	img_auto(img_mem_release) char *text = NULL;
	struct img_err err = { 0 };

	if (file_read_all(dir->fd, name, 1000, &text, NULL, &err) < 0)
		fail_msg("%s", err.msg);
	assert_string_equal(text, expected);
}

static void reading_has_a_limit(void **state)
{
	struct dir *dir = *state;
	img_auto(img_mem_release) char *text = NULL, *none = NULL;
	struct img_err err = { 0 };
	size_t size = 99;

	put(dir, "f", "0123456789");
	assert_int_equal(file_read_all(dir->fd, "f", 10, &text, &size, &err),
			 0);
	assert_int_equal(size, 10);
	assert_string_equal(text, "0123456789");
	assert_int_equal(file_read_all(dir->fd, "f", 9, &none, NULL, &err),
			 -IMG_E_INPUT);
	assert_string_equal(err.msg, "f is larger than 9 bytes");
	assert_null(none);
}

static void reading_what_is_not_there(void **state)
{
	struct dir *dir = *state;
	char *none = NULL;
	struct img_err err = { 0 };

	assert_int_equal(file_read_all(dir->fd, "x", 9, &none, NULL, &err),
			 -IMG_E_NOT_FOUND);
	assert_string_equal(err.msg,
			    "cannot open x: No such file or directory");
	err = (struct img_err){ 0 };
	assert_int_equal(file_read_all(dir->fd, ".", 9, &none, NULL, &err),
			 -IMG_E_SYS);
	assert_string_equal(err.msg, "cannot read .: Is a directory");
}

static void an_empty_file_is_an_empty_string(void **state)
{
	struct dir *dir = *state;

	put(dir, "f", "");
	assert_text(dir, "f", "");
}

static void a_large_file_is_read_whole(void **state)
{
	struct dir *dir = *state;
	img_auto(img_mem_release) char *big = mem_zalloc(100001);
	img_auto(img_mem_release) char *text = NULL;
	struct img_err err = { 0 };
	size_t size;

	for (size_t i = 0; i < 100000; i++)
		big[i] = (char)('a' + i % 23);
	put(dir, "f", big);
	assert_int_equal(
		file_read_all(dir->fd, "f", 100000, &text, &size, &err), 0);
	assert_int_equal(size, 100000);
	assert_memory_equal(text, big, 100001);
}

static void places_in_a_file(void **state)
{
	img_auto(img_fd_release) int fd = memfd_create("x", MFD_CLOEXEC);
	struct img_err err = { 0 };
	char buf[8] = "";

	assert_int_equal(file_pwrite(fd, "hello", 5, 100, "it", &err), 0);
	assert_int_equal(file_pread(fd, buf, 5, 100, "it", &err), 0);
	assert_string_equal(buf, "hello");
	assert_int_equal(file_pread(fd, buf, 0, 1000, "it", &err), 0);
	assert_int_equal(file_pread(fd, buf, 6, 100, "it", &err),
			 -IMG_E_CORRUPT);
	assert_string_equal(err.msg, "it ends too early");
	err = (struct img_err){ 0 };
	assert_int_equal(file_pread(-1, buf, 6, 100, "it", &err), -IMG_E_SYS);
	assert_string_equal(err.msg, "cannot read it: Bad file descriptor");
	err = (struct img_err){ 0 };
	assert_int_equal(file_pwrite(-1, buf, 6, 100, "it", &err), -IMG_E_SYS);
	assert_string_equal(err.msg, "cannot write it: Bad file descriptor");
	err = (struct img_err){ 0 };
	assert_int_equal(file_write(-1, buf, 6, "it", &err), -IMG_E_SYS);
}

/* More than a pipe holds, to a reader who takes it in small bites. */
static void writing_goes_on_after_a_short_write(void **state)
{
	img_auto(img_mem_release) char *big = mem_zalloc(300000);
	struct img_err err = { 0 };
	int fds[2], status;
	pid_t pid;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		size_t got = 0;
		ssize_t n;
		char buf[777];

		(void)close(fds[1]);
		while ((n = read(fds[0], buf, sizeof(buf))) > 0)
			got += (size_t)n;
		_exit(got == 300000 ? 0 : 1);
	}
	(void)close(fds[0]);
	assert_int_equal(file_write(fds[1], big, 300000, "it", &err), 0);
	(void)close(fds[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void replacing(void **state)
{
	struct dir *dir = *state;
	struct img_err err = { 0 };
	struct stat st;

	for (int durable = 0; durable < 2; durable++) {
		assert_int_equal(file_replace(dir->fd, "f", "one", 3,
					      durable != 0, &err),
				 0);
		assert_text(dir, "f", "one");
		/* What a crash left is no hindrance. */
		put(dir, "f.new", "something longer than what comes");
		assert_int_equal(file_replace(dir->fd, "f", "", 0, durable != 0,
					      &err),
				 0);
		assert_text(dir, "f", "");
		assert_false(exists(dir, "f.new"));
	}
	assert_int_equal(fstatat(dir->fd, "f", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void replacing_below_a_path(void **state)
{
	struct dir *dir = *state;
	img_auto(img_mem_release) char *path = mem_printf("%s/a/f", dir->path);
	struct img_err err = { 0 };

	assert_int_equal(file_replace(AT_FDCWD, path, "x", 1, true, &err),
			 -IMG_E_NOT_FOUND);
	assert_non_null(strstr(err.msg, "cannot create"));
	assert_int_equal(mkdirat(dir->fd, "a", 0755), 0);
	err = (struct img_err){ 0 };
	assert_int_equal(file_replace(AT_FDCWD, path, "x", 1, true, &err), 0);
	assert_text(dir, "a/f", "x");
}

static void a_replacement_that_fails_changes_nothing(void **state)
{
	struct dir *dir = *state;
	unsigned n = 1;

	for (;; n++) {
		struct img_err err = { 0 };
		int r;

		put(dir, "f", "old");
		fault_arm(FAULT_FAIL, n);
		r = file_replace(dir->fd, "f", "new", 3, true, &err);
		if (fault_disarm() < n)
			break;
		assert_int_equal(r, -IMG_E_SYS);
		assert_true(err.msg[0]);
		assert_false(exists(dir, "f.new"));
		/* After the rename only the directory's sync can fail. */
		if (n < 3)
			assert_text(dir, "f", "old");
	}
	assert_int_equal(n, 4);
	assert_text(dir, "f", "new");
}

static void a_full_disk_changes_nothing(void **state)
{
	struct dir *dir = *state;
	struct rlimit old, none = { 2, 2 };
	struct img_err err = { 0 };
	void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
	int r;

	put(dir, "f", "old");
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	none.rlim_max = old.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	r = file_replace(dir->fd, "f", "newer", 5, true, &err);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	(void)signal(SIGXFSZ, handler);
	assert_int_equal(r, -IMG_E_SYS);
	assert_string_equal(err.msg, "cannot write f.new: File too large");
	assert_text(dir, "f", "old");
	assert_false(exists(dir, "f.new"));
}

static void directories_come_with_their_parents(void **state)
{
	struct dir *dir = *state;
	img_auto(img_mem_release) char *path =
		mem_printf("%s/a/b/c", dir->path);
	struct img_err err = { 0 };
	struct stat st;

	assert_int_equal(file_mkdirs(path, 0700, &err), 0);
	assert_int_equal(file_mkdirs(path, 0755, &err), 0); /* is there */
	assert_int_equal(fstatat(dir->fd, "a/b/c", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(fstatat(dir->fd, "a/b", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
}

static void a_file_is_no_directory(void **state)
{
	struct dir *dir = *state;
	img_auto(img_mem_release) char *file = mem_printf("%s/f", dir->path);
	img_auto(img_mem_release) char *below = mem_printf("%s/x", file);
	struct img_err err = { 0 };

	put(dir, "f", "");
	assert_int_equal(file_mkdirs(file, 0700, &err), -IMG_E_SYS);
	assert_non_null(strstr(err.msg, "cannot make the directory"));
	err = (struct img_err){ 0 };
	assert_int_equal(file_mkdirs(below, 0700, &err), -IMG_E_SYS);
	assert_non_null(strstr(err.msg, "cannot make the directory"));
}

static void a_tree_goes_and_nothing_else(void **state)
{
	struct dir *dir = *state;
	struct img_err err = { 0 };

	assert_int_equal(mkdirat(dir->fd, "keep", 0755), 0);
	put(dir, "keep/f", "kept");
	assert_int_equal(mkdirat(dir->fd, "t", 0755), 0);
	assert_int_equal(mkdirat(dir->fd, "t/a", 0755), 0);
	assert_int_equal(mkdirat(dir->fd, "t/a/b", 0755), 0);
	put(dir, "t/a/b/f", "");
	put(dir, "t/.hidden", "");
	assert_int_equal(mkfifoat(dir->fd, "t/a/fifo", 0600), 0);
	assert_int_equal(symlinkat("../../keep", dir->fd, "t/a/link"), 0);
	assert_int_equal(symlinkat("nowhere", dir->fd, "t/dangling"), 0);
	assert_int_equal(symlinkat(dir->path, dir->fd, "t/absolute"), 0);
	assert_int_equal(file_remove_tree(dir->fd, "t", &err), 0);
	assert_false(exists(dir, "t"));
	assert_text(dir, "keep/f", "kept");
	assert_int_equal(file_remove_tree(dir->fd, "t", &err), 0);
}

static void a_symlink_goes_alone(void **state)
{
	struct dir *dir = *state;
	struct img_err err = { 0 };

	assert_int_equal(mkdirat(dir->fd, "keep", 0755), 0);
	put(dir, "keep/f", "kept");
	assert_int_equal(symlinkat("keep", dir->fd, "link"), 0);
	assert_int_equal(file_remove_tree(dir->fd, "link", &err), 0);
	assert_false(exists(dir, "link"));
	assert_text(dir, "keep/f", "kept");
}

static void a_wide_tree_goes(void **state)
{
	struct dir *dir = *state;
	struct img_err err = { 0 };

	assert_int_equal(mkdirat(dir->fd, "t", 0755), 0);
	for (int i = 0; i < 2000; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "t/file-%d", i);
		put(dir, name, "");
	}
	assert_int_equal(file_remove_tree(dir->fd, "t", &err), 0);
	assert_false(exists(dir, "t"));
}

#define test_in_dir(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_dir(reading_has_a_limit),
		test_in_dir(reading_what_is_not_there),
		test_in_dir(an_empty_file_is_an_empty_string),
		test_in_dir(a_large_file_is_read_whole),
		cmocka_unit_test(places_in_a_file),
		cmocka_unit_test(writing_goes_on_after_a_short_write),
		test_in_dir(replacing),
		test_in_dir(replacing_below_a_path),
		test_in_dir(a_replacement_that_fails_changes_nothing),
		test_in_dir(a_full_disk_changes_nothing),
		test_in_dir(directories_come_with_their_parents),
		test_in_dir(a_file_is_no_directory),
		test_in_dir(a_tree_goes_and_nothing_else),
		test_in_dir(a_symlink_goes_alone),
		test_in_dir(a_wide_tree_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
