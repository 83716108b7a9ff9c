#include "machine/job.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* A job's strings are not const, for most jobs are on the heap. */
#define TEXT(literal)                                                          \
	(char[])                                                               \
	{                                                                      \
		literal                                                        \
	}

static char *argv[] = { TEXT("sh"), TEXT("-c"),	      TEXT("echo \"$1\"\n"),
			TEXT(""),   TEXT("\xff\x01"), NULL };
static char *env[] = { TEXT("PATH=/bin"), TEXT("EMPTY="), NULL };
static char *none[] = { NULL };

static void sample(struct str *ret)
{
	const struct job job = {
		.argv = argv,
		.env = env,
		.shares = none,
		.cwd = TEXT("/a b"),
		.hostname = TEXT("host"),
		.program = TEXT("/usr/bin/img"),
		.state = TEXT("/state"),
		.umask = 022,
		.open_files_soft = 1024,
		.open_files_hard = UINT64_MAX,
		.terminal = JOB_TTY_MAIN,
	};

	job_encode(&job, ret);
}

static void a_job_comes_back_as_it_was(void **state)
{
	img_auto(str_release) struct str bytes = { 0 };
	img_auto(job_release) struct job job = { 0 };
	struct img_err err = { 0 };

	sample(&bytes);
	assert_int_equal(job_decode(bytes.s, bytes.len, &job, &err), 0);
	for (size_t i = 0; argv[i]; i++)
		assert_string_equal(job.argv[i], argv[i]);
	assert_null(job.argv[5]);
	assert_string_equal(job.env[1], "EMPTY=");
	assert_null(job.env[2]);
	assert_null(job.shares[0]);
	assert_string_equal(job.cwd, "/a b");
	assert_string_equal(job.hostname, "host");
	assert_string_equal(job.program, "/usr/bin/img");
	assert_string_equal(job.state, "/state");
	assert_int_equal(job.umask, 022);
	assert_int_equal(job.open_files_soft, 1024);
	assert_true(job.open_files_hard == UINT64_MAX);
	assert_int_equal(job.terminal, JOB_TTY_MAIN);
}

static void refused(const char *bytes, size_t size)
{
	struct job job = { 0 };
	struct img_err err = { 0 };

	assert_int_equal(job_decode(bytes, size, &job, &err), -IMG_E_CORRUPT);
	assert_string_equal(err.msg, "the machine's job is damaged");
	assert_null(job.argv);
}

static void a_job_cut_anywhere_is_refused(void **state)
{
	img_auto(str_release) struct str bytes = { 0 };

	sample(&bytes);
	for (size_t size = 0; size < bytes.len; size++)
		refused(bytes.s, size);
	str_add(&bytes, "x");
	refused(bytes.s, bytes.len);
}

/* Lengths that lie must neither be believed nor overflow. */
static void a_job_with_absurd_numbers_is_refused(void **state)
{
	static const uint64_t absurd[] = { UINT64_MAX, UINT64_MAX / 8, 1u << 20,
					   1000 };
	img_auto(str_release) struct str bytes = { 0 };

	sample(&bytes);
	for (size_t at = 0; at < 40; at += 8)
		for (size_t i = 0; i < IMG_COUNT(absurd); i++) {
			char saved[8];

			memcpy(saved, bytes.s + at, 8);
			memcpy(bytes.s + at, &absurd[i], 8);
			refused(bytes.s, bytes.len);
			memcpy(bytes.s + at, saved, 8);
		}
}

static void a_job_without_a_command_is_refused(void **state)
{
	img_auto(str_release) struct str bytes = { 0 };
	const struct job job = { .argv = none,
				 .env = none,
				 .shares = none,
				 .cwd = TEXT("/"),
				 .hostname = TEXT(""),
				 .program = TEXT("/img"),
				 .state = TEXT("/s") };

	job_encode(&job, &bytes);
	refused(bytes.s, bytes.len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_job_comes_back_as_it_was),
		cmocka_unit_test(a_job_cut_anywhere_is_refused),
		cmocka_unit_test(a_job_with_absurd_numbers_is_refused),
		cmocka_unit_test(a_job_without_a_command_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
