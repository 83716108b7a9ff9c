#include "base/lock_order.h"

#include "base/cleanup.h"
#include "base/db.h"
#include "base/lock.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <cmocka.h>

static char dir[64];

static int setup(void **state)
{
	strcpy(dir, "/tmp/img-test-XXXXXX");
	return mkdtemp(dir) ? chdir(dir) : -1;
}

static int teardown(void **state)
{
	static const char *const files[] = { "lock", "db", "db-wal", "db-shm" };

	for (size_t i = 0; i < IMG_COUNT(files); i++)
		(void)unlink(files[i]); /* the directory's removal tells */
	return chdir("/") < 0 || rmdir(dir) < 0;
}

/* What a process says that runs @fn and has to be ended by it; "" when it is
 * not. */
static void said_by(void (*fn)(void), char *ret, size_t size)
{
	int fds[2], status;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		const struct rlimit no_core = { 0, 0 };

		(void)signal(SIGABRT, SIG_DFL);
		if (setrlimit(RLIMIT_CORE, &no_core) == 0 &&
		    dup2(fds[1], STDERR_FILENO) >= 0)
			fn();
		_exit(0);
	}
	(void)close(fds[1]);
	n = read(fds[0], ret, size - 1);
	assert_true(n >= 0);
	ret[n] = '\0';
	(void)close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (n > 0)
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	else
		assert_int_equal(status, 0);
}

static int lock_file(void)
{
	struct img_err err = { 0 };
	int fd = -1;

	if (lock_open("lock", &fd, &err) < 0)
		_exit(1);
	return fd;
}

static void take(int fd, uint64_t offset, const char *name)
{
	struct img_err err = { 0 };

	if (lock_wait(fd, offset, name, &err) < 0)
		_exit(1);
}

static void backwards(void)
{
	int fd = lock_file();

	take(fd, 20, "the lock of the late");
	take(fd, 10, "the lock of the early");
}

static void the_wrong_order_aborts_with_both_names(void **state)
{
	char text[256];

	said_by(backwards, text, sizeof(text));
	assert_string_equal(text, "lock order: the lock of the late is held, "
				  "and then waited for is the lock of the "
				  "early\n");
}

static void in_order(void)
{
	int fd = lock_file();

	take(fd, 10, "the lock of the early");
	take(fd, 20, "the lock of the late");
	take(fd, 10, "the lock of the early"); /* it is ours already */
	lock_drop(fd, 20);
	lock_drop(fd, 10);
	lock_order_none("do something long");
	take(fd, 20, "the lock of the late");
	lock_close(&fd);
	fd = lock_file();
	take(fd, 10, "the lock of the early");
}

static void the_right_order_is_nothing_special(void **state)
{
	char text[256];

	said_by(in_order, text, sizeof(text));
	assert_string_equal(text, "");
}

static void too_long(void)
{
	take(lock_file(), 10, "the lock of the early");
	lock_order_none("wait for a child");
}

static void what_takes_long_is_done_without_locks(void **state)
{
	char text[256];

	said_by(too_long, text, sizeof(text));
	assert_string_equal(text, "lock order: the lock of the early is held, "
				  "and then begun is to wait for a child\n");
}

static void shared_too_late(void)
{
	struct img_err err = { 0 };
	int fd = lock_file();

	if (lock_wait_shared(fd, 0, "the use", &err) < 0)
		_exit(1);
	take(fd, 10, "the lock of the early");
	lock_drop(fd, 0);
	if (lock_wait_shared(fd, 0, "the use", &err) < 0)
		_exit(1);
}

static void a_shared_lock_has_its_place_too(void **state)
{
	char text[256];

	said_by(shared_too_late, text, sizeof(text));
	assert_non_null(strstr(text, "the lock of the early is held"));
	assert_non_null(strstr(text, "the use"));
}

static void waits_in_a_transaction(void)
{
	img_auto(db_close) struct db *db = NULL;
	struct img_err err = { 0 };
	int fd = lock_file();

	if (db_open("db", true, "CREATE TABLE t (i)", 1, &db, &err) < 0)
		_exit(1);
	take(fd, 10, "the lock of the early");
	if (db_begin(db, false, &err) < 0 || db_commit(db, &err) < 0)
		_exit(1);
	lock_drop(fd, 10);
	if (db_begin(db, true, &err) < 0)
		_exit(1);
	db_rollback(db);
	take(fd, 10, "the lock of the early");
	lock_drop(fd, 10);
	if (db_begin(db, false, &err) < 0)
		_exit(1);
	take(fd, 10, "the lock of the early");
}

static void no_lock_is_waited_for_in_a_transaction(void **state)
{
	char text[256];

	said_by(waits_in_a_transaction, text, sizeof(text));
	assert_string_equal(text, "lock order: a transaction is held, and then "
				  "waited for is the lock of the early\n");
}

#define test_of_order(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_of_order(the_wrong_order_aborts_with_both_names),
		test_of_order(the_right_order_is_nothing_special),
		test_of_order(what_takes_long_is_done_without_locks),
		test_of_order(a_shared_lock_has_its_place_too),
		test_of_order(no_lock_is_waited_for_in_a_transaction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
