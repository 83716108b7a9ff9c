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

static void times_are_read(void **state)
{
	static const struct {
		const char *text;
		int64_t ns;
	} cases[] = {
		{ "2026-01-02T03:04:05Z", 1767323045 * SECOND },
		{ "2026-01-02T03:04:05.25Z", 1767323045 * SECOND + SECOND / 4 },
		{ "2026-01-02T05:04:05+02:00", 1767323045 * SECOND },
		{ "2026-01-02T01:34:05-01:30", 1767323045 * SECOND },
		{ "1767323045", 1767323045 * SECOND },
		{ "1767323045.000000001", 1767323045 * SECOND + 1 },
		{ "0", 0 },
	};
	static const char *const none[] = { "",
					    "soon",
					    "-5",
					    "5x",
					    "1h30",
					    "h",
					    "1.2.3",
					    "2026-13",
					    "99999999999999999999",
					    "2026-01-02T03:04:05X" };

	for (size_t i = 0; i < IMG_COUNT(cases); i++) {
		struct img_err err = { 0 };
		int64_t ns = -1;

		assert_int_equal(
			clock_parse(cases[i].text, "--since", &ns, &err), 0);
		assert_int_equal(ns, cases[i].ns);
	}
	for (size_t i = 0; i < IMG_COUNT(none); i++) {
		struct img_err err = { 0 };
		int64_t ns;

		assert_int_equal(clock_parse(none[i], "--since", &ns, &err),
				 -IMG_E_INPUT);
		assert_memory_equal(err.msg, "--since '", 9);
	}
}

static void lengths_of_time_are_read(void **state)
{
	struct img_err err = { 0 };
	int64_t ns, ago;

	assert_int_equal(clock_parse_duration("1h30m", "--x", &ns, &err), 0);
	assert_int_equal(ns, 5400 * SECOND);
	assert_int_equal(clock_parse_duration("1.5s250ms", "--x", &ns, &err),
			 0);
	assert_int_equal(ns, 1750 * (SECOND / 1000));
	assert_int_equal(clock_parse("10m", "--since", &ago, &err), 0);
	ns = clock_now_ns() - ago;
	assert_true(ns >= 600 * SECOND && ns < 660 * SECOND);
	assert_int_equal(clock_parse_duration("10", "--x", &ns, &err),
			 -IMG_E_INPUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(now_is_now),
		cmocka_unit_test(ages),
		cmocka_unit_test(moments),
		cmocka_unit_test(times_are_read),
		cmocka_unit_test(lengths_of_time_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
