#include "storage/label.h"

#include "base/cleanup.h"
#include "base/num.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define ID "0123456789abcdef0123456789abcdef"

static int device_new(uint64_t size_bytes)
{
	int fd = memfd_create("device", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size_bytes), 0);
	return fd;
}

static void the_pool_has_whole_chunks_before_the_label(void **state)
{
	assert_int_equal(label_data_bytes(0, 64 * KIB), 0);
	assert_int_equal(label_data_bytes(LABEL_BYTES, 64 * KIB), 0);
	assert_int_equal(label_data_bytes(64 * KIB, 64 * KIB), 0);
	assert_int_equal(label_data_bytes(64 * KIB + LABEL_BYTES, 64 * KIB),
			 64 * KIB);
	assert_int_equal(label_data_bytes(GIB, MIB), GIB - MIB);
}

static void what_was_written_is_read(void **state)
{
	const struct label label = { ID, MIB, "/var/lib/img" };
	img_auto(img_fd_release) int fd = device_new(MIB + LABEL_BYTES);
	struct img_err err = { 0 };
	struct label got;

	assert_int_equal(label_read(fd, MIB, "sdb", &got, &err), 0);
	assert_int_equal(label_write(fd, &label, "sdb", &err), 0);
	assert_int_equal(label_read(fd, MIB, "sdb", &got, &err), 1);
	assert_string_equal(got.store_id, ID);
	assert_string_equal(got.root, "/var/lib/img");
	assert_int_equal(got.data_bytes, MIB);
}

/* Whatever byte is another one, it is no label. */
static void a_damaged_one_is_none(void **state)
{
	const struct label label = { ID, 0, "/" };
	img_auto(img_fd_release) int fd = device_new(LABEL_BYTES);
	struct img_err err = { 0 };
	struct label got;

	assert_int_equal(label_write(fd, &label, "sdb", &err), 0);
	for (off_t i = 0; i < LABEL_BYTES; i += i < 64 ? 1 : 97) {
		uint8_t byte, other;

		assert_int_equal(pread(fd, &byte, 1, i), 1);
		other = byte ^ 0x10;
		assert_int_equal(pwrite(fd, &other, 1, i), 1);
		assert_int_equal(label_read(fd, 0, "sdb", &got, &err), 0);
		assert_int_equal(pwrite(fd, &byte, 1, i), 1);
	}
	assert_int_equal(label_read(fd, 0, "sdb", &got, &err), 1);
}

static void a_device_that_ends_before_it_is_named(void **state)
{
	img_auto(img_fd_release) int fd = device_new(LABEL_BYTES);
	struct img_err err = { 0 };
	struct label got;

	assert_int_equal(label_read(fd, LABEL_BYTES, "/dev/sdb", &got, &err),
			 -IMG_E_CORRUPT);
	assert_non_null(strstr(err.msg, "/dev/sdb"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_pool_has_whole_chunks_before_the_label),
		cmocka_unit_test(what_was_written_is_read),
		cmocka_unit_test(a_damaged_one_is_none),
		cmocka_unit_test(a_device_that_ends_before_it_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
