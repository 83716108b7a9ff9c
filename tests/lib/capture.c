#include "tests/lib/capture.h"

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static int kept = -1;

void capture_begin(void)
{
	int fd = memfd_create("stdout", MFD_CLOEXEC);

	(void)fflush(stdout); /* of before */
	kept = dup(STDOUT_FILENO);
	assert_true(fd >= 0 && kept >= 0);
	assert_true(dup2(fd, STDOUT_FILENO) >= 0);
	(void)close(fd); /* stdout has it now */
}

char *capture_end(void)
{
	off_t size;
	char *text;

	assert_int_equal(fflush(stdout), 0);
	size = lseek(STDOUT_FILENO, 0, SEEK_END);
	assert_true(size >= 0);
	text = mem_zalloc((size_t)size + 1);
	assert_int_equal(pread(STDOUT_FILENO, text, (size_t)size, 0), size);
	assert_true(dup2(kept, STDOUT_FILENO) >= 0);
	(void)close(kept); /* in place again */
	kept = -1;
	return text;
}
