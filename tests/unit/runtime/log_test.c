#include "tests/unit/runtime/image_dir.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "runtime/log_read.h"

#include <signal.h>
#include <sys/resource.h>

static const struct log_limits roomy = { .max_bytes = 1 << 20, .max_files = 3 };

struct paths {
	char log[96], one[96], two[96];
};

static struct paths paths_in(const struct image_dir *dir)
{
	struct paths p;

	snprintf(p.log, sizeof(p.log), "%s/log", dir->path);
	snprintf(p.one, sizeof(p.one), "%s/log.1", dir->path);
	snprintf(p.two, sizeof(p.two), "%s/log.2", dir->path);
	return p;
}

static struct log *begin(const char *path, const struct log_limits *limits)
{
	struct img_err err = { 0 };
	struct log *log = NULL;

	assert_int_equal(log_open(path, limits, &log, &err), 0);
	return log;
}

static void say(struct log *log, enum log_stream stream, const char *text)
{
	log_write(log, stream, text, strlen(text));
}

static struct log_reader *look(const char *path)
{
	struct img_err err = { 0 };
	struct log_reader *reader = NULL;

	assert_int_equal(log_reader_open(path, &reader, &err), 0);
	return reader;
}

static void next_is(struct log_reader *reader, enum log_stream stream,
		    const char *text)
{
	struct img_err err = { 0 };
	struct log_entry entry;

	assert_int_equal(log_reader_next(reader, &entry, &err), 1);
	assert_int_equal(entry.stream, stream);
	assert_int_equal(entry.n, strlen(text));
	assert_string_equal(entry.text, text);
	assert_true(entry.time_ns > INT64_C(1500000000) * 1000000000);
}

static void none_is_left(struct log_reader *reader)
{
	struct img_err err = { 0 };
	struct log_entry entry;

	assert_int_equal(log_reader_next(reader, &entry, &err), 0);
}

static void lines_come_back_as_they_were_said(void **state)
{
	struct paths p = paths_in(*state);
	struct log *log = begin(p.log, &roomy);
	struct log_reader *reader = look(p.log);

	none_is_left(reader);
	say(log, LOG_STDOUT, "one\ntwo");
	next_is(reader, LOG_STDOUT, "one\n");
	none_is_left(reader);
	say(log, LOG_STDERR, "three\n");
	say(log, LOG_STDOUT, " ends\n\n\"\\\t\r\001\177/\n");
	next_is(reader, LOG_STDERR, "three\n");
	next_is(reader, LOG_STDOUT, "two ends\n");
	next_is(reader, LOG_STDOUT, "\n");
	next_is(reader, LOG_STDOUT, "\"\\\t\r\001\177/\n");
	say(log, LOG_STDOUT, "no end");
	none_is_left(reader);
	log_close(&log);
	next_is(reader, LOG_STDOUT, "no end");
	none_is_left(reader);
	log_reader_close(&reader);
}

static void what_is_no_utf8_is_replaced(void **state)
{
	struct paths p = paths_in(*state);
	struct log *log = begin(p.log, &roomy);
	struct log_reader *reader = look(p.log);

	say(log, LOG_STDOUT, "\303\251\342\202\254\360\237\230\200\n");
	next_is(reader, LOG_STDOUT, "\303\251\342\202\254\360\237\230\200\n");
	/* Overlong, a surrogate, past the last, cut short, alone. */
	say(log, LOG_STDOUT,
	    "\300\200 \355\240\200 \364\220\200\200 \342\202 "
	    "\200\n");
#define R "\357\277\275"
	next_is(reader, LOG_STDOUT,
		R R " " R R R " " R R R R " " R R " " R "\n");
	log_close(&log);
	log_reader_close(&reader);
}

static void a_long_line_is_cut_between_characters(void **state)
{
	struct paths p = paths_in(*state);
	struct log *log = begin(p.log, &roomy);
	struct log_reader *reader;
	struct img_err err = { 0 };
	struct log_entry entry;
	char *text = malloc(LOG_TEXT_MAX + 8);

	memset(text, 'x', LOG_TEXT_MAX);
	/* Its last character begins two bytes before the cut. */
	strcpy(text + LOG_TEXT_MAX - 2, "\342\202\254\n");
	say(log, LOG_STDOUT, text);
	free(text);
	log_close(&log);
	reader = look(p.log);
	assert_int_equal(log_reader_next(reader, &entry, &err), 1);
	assert_int_equal(entry.n, LOG_TEXT_MAX - 2);
	next_is(reader, LOG_STDOUT, "\342\202\254\n");
	none_is_left(reader);
	log_reader_close(&reader);
}

static void size_is(const char *path, off_t most)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size <= most);
}

static void its_files_are_turned_over(void **state)
{
	struct log_limits limits = { .max_bytes = 4096, .max_files = 3 };
	struct paths p = paths_in(*state);
	struct log *log = begin(p.log, &limits);
	struct log_reader *reader = look(p.log);
	char text[64];

	for (int i = 0; i < 500; i++) {
		snprintf(text, sizeof(text), "line %d\n", i);
		say(log, LOG_STDOUT, text);
		next_is(reader, LOG_STDOUT, text); /* on its heels */
	}
	size_is(p.log, 4096);
	size_is(p.one, 4096);
	size_is(p.two, 4096);
	log_reader_close(&reader);
	/* A reader that comes late meets the last ones, one after another. */
	reader = look(p.log);
	{
		struct img_err err = { 0 };
		struct log_entry entry;
		int n = 0, first = 0;

		while (log_reader_next(reader, &entry, &err) > 0) {
			int i = atoi(entry.text + 5);

			first = n ? first : i;
			assert_int_equal(i, first + n);
			n++;
		}
		assert_int_equal(first + n, 500);
		assert_true(n > 2 * 4096 / 80);
	}
	log_reader_close(&reader);
	/* One that has fallen behind goes on with what is left. */
	reader = look(p.log);
	say(log, LOG_STDOUT, "more\n");
	log_close(&log);
	log_reader_close(&reader);
}

static void one_file_begins_anew(void **state)
{
	struct log_limits limits = { .max_bytes = 4096, .max_files = 1 };
	struct paths p = paths_in(*state);
	struct log *log = begin(p.log, &limits);
	struct stat st;

	for (int i = 0; i < 500; i++)
		say(log, LOG_STDERR, "again\n");
	log_close(&log);
	size_is(p.log, 4096);
	assert_int_equal(stat(p.one, &st), -1);
	/* What was there counts. */
	log = begin(p.log, &limits);
	for (int i = 0; i < 50; i++)
		say(log, LOG_STDERR, "again\n");
	log_close(&log);
	size_is(p.log, 4096);
}

static void the_tail_reaches_across_files(void **state)
{
	struct log_limits limits = { .max_bytes = 4096, .max_files = 3 };
	struct paths p = paths_in(*state);
	struct log *log = begin(p.log, &limits);
	struct img_err err = { 0 };
	char text[64];

	for (int i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "line %d\n", i);
		say(log, LOG_STDOUT, text);
	}
	log_close(&log);
	for (int n = 0; n <= 100; n++) {
		struct log_reader *reader = look(p.log);

		assert_int_equal(log_reader_tail(reader, (uint64_t)n, &err), 0);
		for (int i = 100 - n; i < 100; i++) {
			snprintf(text, sizeof(text), "line %d\n", i);
			next_is(reader, LOG_STDOUT, text);
		}
		none_is_left(reader);
		log_reader_close(&reader);
	}
}

static void what_a_crash_cut_short_is_passed_over(void **state)
{
	struct image_dir *dir = *state;
	struct paths p = paths_in(dir);
	struct log_reader *reader;
	struct log *log;

	image_dir_puts(dir, "log",
		       "{\"log\":\"whole\\n\",\"stream\":\"stdout\",\"time\":"
		       "\"2026-01-02T03:04:05.678901234Z\"}\nno JSON\n[]\n"
		       "{\"log\":1,\"stream\":2,\"time\":3}\n{\"log\":\"cut");
	log = begin(p.log, &roomy);
	say(log, LOG_STDOUT, "next\n");
	log_close(&log);
	reader = look(p.log);
	{
		struct img_err err = { 0 };
		struct log_entry entry;

		assert_int_equal(log_reader_next(reader, &entry, &err), 1);
		assert_int_equal(entry.time_ns, INT64_C(1767323045678901234));
		assert_string_equal(entry.text, "whole\n");
	}
	next_is(reader, LOG_STDOUT, "next\n");
	none_is_left(reader);
	log_reader_close(&reader);
}

static void what_cannot_be_written_is_counted(void **state)
{
	struct rlimit old, small = { 0 };
	struct paths p = paths_in(*state);
	struct log *log = begin(p.log, &roomy);
	struct log_reader *reader = look(p.log);

	say(log, LOG_STDOUT, "before\n");
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = (struct rlimit){ .rlim_cur = 100, .rlim_max = old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	say(log, LOG_STDOUT, "lost\n");
	say(log, LOG_STDOUT, "lost, too\n");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	say(log, LOG_STDOUT, "after\n");
	log_close(&log);
	next_is(reader, LOG_STDOUT, "before\n");
	{
		struct img_err err = { 0 };
		struct log_entry entry;

		assert_int_equal(log_reader_next(reader, &entry, &err), 1);
		assert_int_equal(entry.stream, LOG_STDERR);
		assert_non_null(strstr(entry.text, "bytes of the log could not "
						   "be written and are lost"));
	}
	next_is(reader, LOG_STDOUT, "after\n");
	none_is_left(reader);
	log_reader_close(&reader);
}

static void a_log_that_cannot_be_opened_is_an_error(void **state)
{
	struct img_err err = { 0 };
	struct log *log = NULL;

	assert_int_equal(log_open("/nowhere/log", &roomy, &log, &err),
			 -IMG_E_NOT_FOUND);
	assert_string_equal(err.msg, "cannot open the log /nowhere/log: No "
				     "such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_image(lines_come_back_as_they_were_said),
		test_in_image(what_is_no_utf8_is_replaced),
		test_in_image(a_long_line_is_cut_between_characters),
		test_in_image(its_files_are_turned_over),
		test_in_image(one_file_begins_anew),
		test_in_image(the_tail_reaches_across_files),
		test_in_image(what_a_crash_cut_short_is_passed_over),
		test_in_image(what_cannot_be_written_is_counted),
		cmocka_unit_test(a_log_that_cannot_be_opened_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
