#include "base/lock.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

static char path[64];

static int setup(void **state)
{
	strcpy(path, "/tmp/img-test-XXXXXX");
	return mkdtemp(path) ? (strcat(path, "/lock"), 0) : -1;
}

static int teardown(void **state)
{
	(void)unlink(path); /* the directory's removal tells */
	*strrchr(path, '/') = '\0';
	return rmdir(path);
}

static int open_lock(void)
{
	struct img_err err = { 0 };
	int fd = -1;

	assert_int_equal(lock_open(path, &fd, &err), 0);
	return fd;
}

static void a_lock_file_is_private(void **state)
{
	img_auto(img_fd_release) int fd = open_lock();
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

static void a_lock_that_cannot_be_opened(void **state)
{
	struct img_err err = { 0 };
	int fd = -1;

	assert_int_equal(lock_open("/proc/nothing/lock", &fd, &err),
			 -IMG_E_NOT_FOUND);
	assert_non_null(strstr(err.msg, "cannot open the lock /proc/nothing"));
	assert_int_equal(fd, -1);
}

static void bytes_are_held_one_by_one(void **state)
{
	img_auto(img_fd_release) int a = open_lock();
	img_auto(img_fd_release) int b = open_lock();
	struct img_err err = { 0 };
	const uint64_t far = UINT64_C(1) << 40;

	assert_int_equal(lock_try(a, 5, &err), 1);
	assert_int_equal(lock_try(a, 5, &err), 1); /* ours already */
	assert_int_equal(lock_is_held(a, 5, &err), 0);
	assert_int_equal(lock_is_held(b, 5, &err), 1);
	assert_int_equal(lock_try(b, 5, &err), 0);
	assert_int_equal(lock_try(b, 4, &err), 1);
	assert_int_equal(lock_try(b, 6, &err), 1);
	assert_int_equal(lock_try(b, far, &err), 1);
	assert_int_equal(lock_is_held(a, far, &err), 1);
	lock_drop(a, 5);
	assert_int_equal(lock_is_held(b, 5, &err), 0);
	assert_int_equal(lock_try(b, 5, &err), 1);
	assert_int_equal(lock_wait(a, 7, "a lock", &err), 0);
	lock_drop(a, 7);
}

static void closing_lets_go(void **state)
{
	img_auto(img_fd_release) int a = open_lock();
	int b = open_lock();
	struct img_err err = { 0 };

	assert_int_equal(lock_try(b, 1, &err), 1);
	assert_int_equal(lock_is_held(a, 1, &err), 1);
	(void)close(b);
	assert_int_equal(lock_is_held(a, 1, &err), 0);
}

static void a_scope_lets_go(void **state)
{
	img_auto(img_fd_release) int a = open_lock();
	img_auto(img_fd_release) int b = open_lock();
	struct img_err err = { 0 };

	{
		img_auto(lock_release) struct lock lock = { .fd = -1 };
		img_auto(lock_release) struct lock none = { .fd = -1 };

		assert_int_equal(lock_wait(a, 3, "a lock", &err), 0);
		lock = (struct lock){ a, 3 };
		assert_int_equal(lock_is_held(b, 3, &err), 1);
		assert_int_equal(none.fd, -1);
	}
	assert_int_equal(lock_is_held(b, 3, &err), 0);
}

/* A child that takes byte 9 by an opening of its own, says so, and keeps it
 * until some time after it was told to go, by a byte to *ret_fd. */
static pid_t start_holder(int *ret_fd)
{
	int fds[2];
	pid_t pid;
	char byte;

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct img_err err = { 0 };
		int fd;

		(void)close(fds[0]);
		if (lock_open(path, &fd, &err) < 0 ||
		    lock_try(fd, 9, &err) != 1 || write(fds[1], "x", 1) != 1 ||
		    read(fds[1], &byte, 1) != 1)
			_exit(1);
		(void)usleep(100000); /* most often somebody waits by then */
		_exit(0);
	}
	(void)close(fds[1]);
	assert_int_equal(read(fds[0], &byte, 1), 1);
	*ret_fd = fds[0];
	return pid;
}

static void waiting_ends_with_the_holder(void **state)
{
	img_auto(img_fd_release) int a = open_lock();
	img_auto(img_fd_release) int gate = -1;
	struct img_err err = { 0 };
	int status;
	pid_t pid = start_holder(&gate);

	assert_int_equal(lock_try(a, 9, &err), 0);
	assert_int_equal(lock_is_held(a, 9, &err), 1);
	assert_int_equal(write(gate, "x", 1), 1);
	assert_int_equal(lock_wait(a, 9, "a lock", &err), 0);
	lock_drop(a, 9);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void death_frees(void **state)
{
	img_auto(img_fd_release) int a = open_lock();
	img_auto(img_fd_release) int gate = -1;
	struct img_err err = { 0 };
	int status;
	pid_t pid = start_holder(&gate);

	assert_int_equal(lock_is_held(a, 9, &err), 1);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(lock_try(a, 9, &err), 1);
}

/* A fork shares its parent's locks until it closes the file. */
static void a_child_shares_what_is_held(void **state)
{
	img_auto(img_fd_release) int a = open_lock();
	img_auto(img_fd_release) int b = open_lock();
	struct img_err err = { 0 };
	int status;
	pid_t pid;

	assert_int_equal(lock_try(a, 2, &err), 1);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(lock_try(a, 2, &err) == 1 && lock_try(b, 2, &err) == 0
			      ? 0
			      : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(lock_is_held(b, 2, &err), 1);
}

static void a_bad_descriptor(void **state)
{
	struct img_err err = { 0 };

	assert_int_equal(lock_try(-1, 1, &err), -IMG_E_SYS);
	assert_string_equal(err.msg, "cannot take a lock: Bad file descriptor");
	err = (struct img_err){ 0 };
	assert_int_equal(lock_wait(-1, 1, "a lock", &err), -IMG_E_SYS);
	err = (struct img_err){ 0 };
	assert_int_equal(lock_is_held(-1, 1, &err), -IMG_E_SYS);
}

#define test_of_lock(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_of_lock(a_lock_file_is_private),
		cmocka_unit_test(a_lock_that_cannot_be_opened),
		test_of_lock(bytes_are_held_one_by_one),
		test_of_lock(closing_lets_go),
		test_of_lock(a_scope_lets_go),
		test_of_lock(waiting_ends_with_the_holder),
		test_of_lock(death_frees),
		test_of_lock(a_child_shares_what_is_held),
		cmocka_unit_test(a_bad_descriptor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
