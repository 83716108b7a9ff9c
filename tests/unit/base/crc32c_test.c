#include "base/crc32c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static uint32_t finished(const void *data, size_t size)
{
	uint32_t sum = ~crc32c_update(UINT32_MAX, data, size);

	assert_int_equal(sum, ~crc32c_update_portable(UINT32_MAX, data, size));
	return sum;
}

/* The vectors of RFC 3720, B.4, and the usual check value. */
static void sums_are_those_of_the_rfc(void **state)
{
	uint8_t bytes[32];

	assert_int_equal(finished("123456789", 9), 0xe3069283);
	memset(bytes, 0, sizeof(bytes));
	assert_int_equal(finished(bytes, sizeof(bytes)), 0x8a9136aa);
	memset(bytes, 0xff, sizeof(bytes));
	assert_int_equal(finished(bytes, sizeof(bytes)), 0x62a8ab43);
	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	assert_int_equal(finished(bytes, sizeof(bytes)), 0x46dd794e);
	assert_int_equal(finished(NULL, 0), 0);
}

static void pieces_sum_up_to_the_whole(void **state)
{
	uint8_t bytes[100];

	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 37 + 11);
	for (size_t cut = 0; cut <= sizeof(bytes); cut++) {
		uint32_t sum = crc32c_update(UINT32_MAX, bytes, cut);

		sum = crc32c_update(sum, bytes + cut, sizeof(bytes) - cut);
		assert_int_equal(~sum, finished(bytes, sizeof(bytes)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_are_those_of_the_rfc),
		cmocka_unit_test(pieces_sum_up_to_the_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
