#include "cli/clock.h"

#include "base/attr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000000)

static void now_is_now(void **state)
{
	int64_t before = (int64_t)time(NULL);
	int64_t now = clock_now_ns() / SECOND;

	assert_true(now >= before && now <= (int64_t)time(NULL));
}

/* Half a second more each, so that the test itself may take its time. */
static void ages(void **state)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} cases[] = {
		{ -100, "Less than a second ago" },
		{ 0, "Less than a second ago" },
		{ 1, "1 second ago" },
		{ 2, "2 seconds ago" },
		{ 119, "119 seconds ago" },
		{ 120, "2 minutes ago" },
		{ 7199, "119 minutes ago" },
		{ 7200, "2 hours ago" },
		{ 172799, "47 hours ago" },
		{ 172800, "2 days ago" },
		{ 1209599, "13 days ago" },
		{ 1209600, "2 weeks ago" },
		{ 5183999, "8 weeks ago" },
		{ 5184000, "2 months ago" },
		{ 63071999, "24 months ago" },
		{ 63072000, "2 years ago" },
		{ 1000000000, "31 years ago" },
	};
	char out[CLOCK_TEXT_MAX];

	for (size_t i = 0; i < IMG_COUNT(cases); i++)
		assert_string_equal(
			clock_age(clock_now_ns() - cases[i].seconds * SECOND -
					  SECOND / 10,
				  out),
			cases[i].text);
}

static void moments(void **state)
{
	static const struct {
		int64_t ns;
		const char *text;
	} cases[] = {
		{ 0, "0001-01-01T00:00:00Z" },
		{ 1, "1970-01-01T00:00:00.000000001Z" },
		{ SECOND, "1970-01-01T00:00:01.000000000Z" },
		{ 1700000000 * SECOND + 123456789,
		  "2023-11-14T22:13:20.123456789Z" },
		{ 4102444800 * SECOND, "2100-01-01T00:00:00.000000000Z" },
		{ -1, "1969-12-31T23:59:59.999999999Z" },
		{ INT64_MAX, "2262-04-11T23:47:16.854775807Z" },
	};
	char out[CLOCK_TEXT_MAX];

	for (size_t i = 0; i < IMG_COUNT(cases); i++)
		assert_string_equal(clock_rfc3339(cases[i].ns, out),
				    cases[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(now_is_now),
		cmocka_unit_test(ages),
		cmocka_unit_test(moments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
