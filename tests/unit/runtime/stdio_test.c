#include "runtime/stdio.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static mode_t mode_of(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return st.st_mode & 07777;
}

/* Runs stdio_unlock with @fd as its stdin. */
static void unlock(int fd)
{
	int saved = dup(STDIN_FILENO);

	assert_true(saved >= 0 && dup2(fd, STDIN_FILENO) >= 0);
	stdio_unlock();
	assert_true(dup2(saved, STDIN_FILENO) >= 0);
	assert_int_equal(close(saved), 0);
}

static void a_pipe_without_a_name_permits_everything(void **state)
{
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(mode_of(fds[0]), 0600);
	unlock(fds[1]);
	assert_int_equal(mode_of(fds[0]), 0666);
	unlock(fds[1]); /* once more changes nothing */
	assert_int_equal(mode_of(fds[0]), 0666);
	assert_int_equal(close(fds[0]), 0);
	assert_int_equal(close(fds[1]), 0);
}

static void what_has_a_name_stays_as_it_is(void **state)
{
	char dir[] = "/tmp/img-stdio-XXXXXX";
	int at, file, fifo;

	assert_non_null(mkdtemp(dir));
	at = open(dir, O_PATH | O_DIRECTORY);
	assert_true(at >= 0);
	file = openat(at, "file", O_CREAT | O_RDWR, 0600);
	assert_int_equal(mkfifoat(at, "fifo", 0600), 0);
	fifo = openat(at, "fifo", O_RDWR);
	assert_true(file >= 0 && fifo >= 0);
	unlock(file);
	unlock(fifo);
	assert_int_equal(mode_of(file), 0600);
	assert_int_equal(mode_of(fifo), 0600);
	assert_int_equal(unlinkat(at, "file", 0), 0);
	assert_int_equal(unlinkat(at, "fifo", 0), 0);
	assert_int_equal(rmdir(dir), 0);
	(void)close(file);
	(void)close(fifo);
	(void)close(at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pipe_without_a_name_permits_everything),
		cmocka_unit_test(what_has_a_name_stays_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
