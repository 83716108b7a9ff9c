#include "base/num.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void sizes_as_people_type_them(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} good[] = {
		{ "0", 0 },
		{ "1", 1 },
		{ "4096", 4096 },
		{ "007", 7 },
		{ "10b", 10 },
		{ "10B", 10 },
		{ "64k", 64 * KIB },
		{ "64K", 64 * KIB },
		{ "64kb", 64 * KIB },
		{ "64KB", 64 * KIB },
		{ "64KiB", 64 * KIB },
		{ "64kib", 64 * KIB },
		{ "512m", 512 * MIB },
		{ "10G", 10 * GIB },
		{ "2T", 2 * TIB },
		{ "3p", 3 * 1024 * TIB },
		{ "1.5G", GIB + GIB / 2 },
		{ "0.5k", 512 },
		{ "1.0M", MIB },
		{ "0.25m", 256 * KIB },
		{ "9223372036854775807", INT64_MAX },
		{ "8191p", 8191 * 1024 * TIB },
		{ "1.99999999999999999999k", 2047 },
	};

	for (size_t i = 0; i < IMG_COUNT(good); i++) {
		struct img_err err = { 0 };
		uint64_t bytes = 99;

		if (num_parse_size(good[i].text, "--size", &bytes, &err) < 0)
			fail_msg("%s", err.msg);
		if (bytes != good[i].bytes)
			fail_msg("%s is %llu", good[i].text,
				 (unsigned long long)bytes);
	}
}

static void what_is_no_size(void **state)
{
	static const char *const bad[] = {
		"",	 "k",	   "-1",  "+1",	  " 1",	  "1 ",	   "1 k",
		"1x",	 "1kk",	   "1ki", "1bb",  "1bk",  "1.",	   "1.k",
		".5k",	 "1.5.5k", "1e9", "0x10", "1,5G", "G10",   "ten",
		"1kibi", "1k\n",   "1@",  "1[",	  "\xff", "1\xef",
	};

	for (size_t i = 0; i < IMG_COUNT(bad); i++) {
		struct img_err err = { 0 };
		uint64_t bytes = 99;
		char expected[100];

		if (num_parse_size(bad[i], "--size", &bytes, &err) !=
		    -IMG_E_INPUT)
			fail_msg("'%s' was taken", bad[i]);
		(void)snprintf(expected, sizeof(expected),
			       "--size '%s' is not a size (try 512M or 10G)",
			       bad[i]);
		assert_string_equal(err.msg, expected);
		assert_int_equal(bytes, 99);
	}
}

static void what_is_too_large(void **state)
{
	static const char *const bad[] = {
		"8192p",
		"16384p",
		"9007199254740992k",
		"9223372036854775808",
		"18446744073709551615",
		"18446744073709551616",
		"99999999999999999999g",
	};

	for (size_t i = 0; i < IMG_COUNT(bad); i++) {
		struct img_err err = { 0 };
		uint64_t bytes;

		assert_int_equal(num_parse_size(bad[i], "--size", &bytes, &err),
				 -IMG_E_INPUT);
		if (!strstr(err.msg, "too large"))
			fail_msg("%s", err.msg);
	}
}

static void whole_numbers(void **state)
{
	static const char *const bad[] = {
		"",   "-1", "+1",  " 1",  "1 ",
		"1k", "a",  "0x1", "1.0", "18446744073709551616"
	};
	struct img_err err = { 0 };
	uint64_t n;

	assert_int_equal(num_parse_u64("18446744073709551615", "n", &n, &err),
			 0);
	assert_true(n == UINT64_MAX);
	assert_int_equal(num_parse_u64("0", "n", &n, &err), 0);
	assert_int_equal(n, 0);
	for (size_t i = 0; i < IMG_COUNT(bad); i++) {
		char expected[80];

		err = (struct img_err){ 0 };
		assert_int_equal(num_parse_u64(bad[i], "n", &n, &err),
				 -IMG_E_INPUT);
		(void)snprintf(expected, sizeof(expected),
			       "n '%s' is not a whole number", bad[i]);
		assert_string_equal(err.msg, expected);
	}
}

static void sizes_as_people_read_them(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{ 0, "0 B" },
		{ 1, "1 B" },
		{ 999, "999 B" },
		{ 1000, "0.9 KiB" },
		{ 1024, "1.0 KiB" },
		{ 1536, "1.5 KiB" },
		{ 100 * KIB, "100 KiB" },
		{ 999 * KIB, "999 KiB" },
		{ 1000 * KIB, "0.9 MiB" },
		{ MIB, "1.0 MiB" },
		{ 170 * MIB, "170 MiB" },
		{ GIB + GIB / 2, "1.5 GiB" },
		{ 10 * GIB, "10.0 GiB" },
		{ 99 * GIB + GIB / 2, "99.5 GiB" },
		{ 16 * TIB, "16.0 TiB" },
		{ UINT64_MAX, "15.9 EiB" },
	};
	char out[SIZE_TEXT_MAX];

	for (size_t i = 0; i < IMG_COUNT(cases); i++)
		assert_string_equal(num_format_size(cases[i].bytes, out),
				    cases[i].text);
}

/* No size is longer than its room, nor lies by more than a tenth. */
static void every_power_fits(void **state)
{
	for (unsigned bit = 0; bit < 64; bit++)
		for (int off = -1; off <= 1; off++) {
			char out[SIZE_TEXT_MAX];
			uint64_t n = (UINT64_C(1) << bit) + (uint64_t)off;

			assert_true(strlen(num_format_size(n, out)) <
				    SIZE_TEXT_MAX - 1);
		}
}

static void arithmetic_knows_its_limits(void **state)
{
	uint64_t r = 5;

	assert_true(num_mul_overflows(UINT64_MAX, 2, &r));
	assert_true(num_add_overflows(UINT64_MAX, 1, &r));
	assert_int_equal(r, 5);
	assert_false(num_mul_overflows(UINT32_MAX, UINT32_MAX, &r));
	assert_false(num_add_overflows(UINT64_MAX, 0, &r));
	assert_true(r == UINT64_MAX);
	assert_int_equal(num_align_up(0, 4096), 0);
	assert_int_equal(num_align_up(1, 4096), 4096);
	assert_int_equal(num_align_up(4096, 4096), 4096);
	assert_int_equal(num_sectors(1023), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_as_people_type_them),
		cmocka_unit_test(what_is_no_size),
		cmocka_unit_test(what_is_too_large),
		cmocka_unit_test(whole_numbers),
		cmocka_unit_test(sizes_as_people_read_them),
		cmocka_unit_test(every_power_fits),
		cmocka_unit_test(arithmetic_knows_its_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
