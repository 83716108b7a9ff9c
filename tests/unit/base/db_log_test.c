#include "base/db_log.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define HEADER 32
#define FRAME  (24 + 4096)

static int make_file(size_t size, char fill)
{
	int fd = memfd_create("log", MFD_CLOEXEC);
	char *bytes = malloc(size);

	assert_true(fd >= 0);
	assert_non_null(bytes);
	for (size_t i = 0; i < size; i++)
		bytes[i] = (char)(fill + (char)(i * 31 + i / FRAME));
	assert_int_equal(pwrite(fd, bytes, size, 0), size);
	free(bytes);
	return fd;
}

/* The same bytes, and as many, as the kernel has. */
static ssize_t check_read(int fd, size_t size, off_t offset)
{
	char got[2 * FRAME], wanted[2 * FRAME];
	ssize_t n = pread(fd, wanted, size, offset);

	memset(got, 0, sizeof(got));
	assert_int_equal(db_log_pread(fd, got, size, offset), n);
	if (n > 0)
		assert_memory_equal(got, wanted, (size_t)n);
	return n;
}

static void a_log_of_any_length_is_read_as_it_is(void **state)
{
	for (size_t frames = 0; frames < 40; frames++)
		for (size_t more = 0; more < FRAME; more += 1030) {
			size_t size = HEADER + frames * FRAME + more;
			img_auto(img_fd_release) int fd = make_file(size, 1);
			off_t at = HEADER;

			(void)check_read(fd, HEADER, 0);
			while (check_read(fd, FRAME, at) == FRAME)
				at += FRAME;
			assert_int_equal(at, HEADER + frames * FRAME);
		}
}

/* As after a recovery: what others write from then on is seen. */
static void nothing_old_is_given_out(void **state)
{
	static const struct {
		size_t size;
		off_t offset;
	} others[] = {
		{ 4096, HEADER + 24 },
		{ 8, HEADER },
		{ HEADER, 0 },
		{ FRAME, HEADER },
		{ FRAME, HEADER + 3 * FRAME },
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		img_auto(img_fd_release) int fd =
			make_file(HEADER + 6 * FRAME, 1);

		(void)check_read(fd, HEADER, 0);
		(void)check_read(fd, FRAME, HEADER);
		(void)check_read(fd, others[i].size, others[i].offset);
		assert_int_equal(pwrite(fd, "new", 3, HEADER + FRAME), 3);
		(void)check_read(fd, FRAME, HEADER + FRAME);
	}
}

static void another_file_is_another_log(void **state)
{
	img_auto(img_fd_release) int a = make_file(HEADER + 3 * FRAME, 1);
	img_auto(img_fd_release) int b = make_file(HEADER + 3 * FRAME, 2);

	(void)check_read(a, HEADER, 0);
	(void)check_read(a, FRAME, HEADER);
	(void)check_read(b, FRAME, HEADER + FRAME);
	(void)check_read(a, FRAME, HEADER + FRAME);
	(void)check_read(b, HEADER, 0);
	(void)check_read(b, FRAME, HEADER);
	(void)check_read(a, FRAME, HEADER + FRAME);
}

static void a_failure_is_a_failure(void **state)
{
	char byte[FRAME];

	assert_int_equal(db_log_pread(-1, byte, HEADER, 0), -1);
	assert_int_equal(db_log_pread(-1, byte, FRAME, HEADER), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_log_of_any_length_is_read_as_it_is),
		cmocka_unit_test(nothing_old_is_given_out),
		cmocka_unit_test(another_file_is_another_log),
		cmocka_unit_test(a_failure_is_a_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
