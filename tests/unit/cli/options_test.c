#include "cli/options.h"

#include "base/num.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct values {
	bool interactive, tty;
	const char *name;
	struct text_list env;
	uint64_t size_bytes, max;
};

static const struct option_row rows[] = {
	{ 'i', "interactive", NULL, "", OPTION_FLAG,
	  offsetof(struct values, interactive) },
	{ 't', "tty", NULL, "", OPTION_FLAG, offsetof(struct values, tty) },
	{ 'n', "name", "NAME", "", OPTION_TEXT, offsetof(struct values, name) },
	{ 'e', "env", "NAME=VALUE", "", OPTION_LIST,
	  offsetof(struct values, env) },
	{ 0, "size", "SIZE", "", OPTION_SIZE,
	  offsetof(struct values, size_bytes) },
	{ 0, "max-entries", "N", "", OPTION_U64, offsetof(struct values, max) },
};

#define WORDS_MAX 12

static const struct option_table anywhere = { rows, IMG_COUNT(rows), false };
static const struct option_table then_command = { rows, IMG_COUNT(rows), true };

/* A command line, as main() gets it: words that may be written to. */
struct line {
	char text[WORDS_MAX][32];
	char *argv[WORDS_MAX + 1];
	struct values values;
	struct img_err err;
};

static int parse(struct line *line, const struct option_table *table,
		 const char *const *words)
{
	size_t n = 0;

	*line = (struct line){ 0 };
	for (; words[n]; n++) {
		assert_true(n < WORDS_MAX);
		(void)snprintf(line->text[n], sizeof(line->text[n]), "%s",
			       words[n]);
		line->argv[n] = line->text[n];
	}
	return options_parse(table, &line->values, line->argv, &line->err);
}

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void assert_arguments(const struct line *line, int n,
			     const char *const *words)
{
	int i = 0;

	for (; words[i]; i++)
		assert_string_equal(line->argv[i], words[i]);
	assert_int_equal(n, i);
	assert_null(line->argv[i]);
}

static void all_forms_of_a_value(void **state)
{
	static const char *const forms[][4] = {
		{ "--name", "web", "x", NULL },
		{ "--name=web", "x", NULL },
		{ "-n", "web", "x", NULL },
		{ "-nweb", "x", NULL },
		{ "-n=web", "x", NULL },
		{ "x", "--name=web", NULL },
		{ "x", "-n", "web", NULL },
		{ "-nold", "-nweb", "x", NULL }, /* the last one counts */
	};

	for (size_t i = 0; i < IMG_COUNT(forms); i++) {
		struct line line;
		int n = parse(&line, &anywhere, forms[i]);

		assert_arguments(&line, n, WORDS("x"));
		assert_string_equal(line.values.name, "web");
	}
}

static void flags_join(void **state)
{
	struct line line;

	assert_int_equal(parse(&line, &anywhere, WORDS("-it")), 0);
	assert_true(line.values.interactive && line.values.tty);
	assert_int_equal(parse(&line, &anywhere, WORDS("-itnweb", "a")), 1);
	assert_true(line.values.interactive && line.values.tty);
	assert_string_equal(line.values.name, "web");
	assert_int_equal(parse(&line, &anywhere, WORDS("-tn", "web")), 0);
	assert_true(line.values.tty && !line.values.interactive);
	assert_string_equal(line.values.name, "web");
}

static void flags_have_values(void **state)
{
	struct line line;

	assert_int_equal(parse(&line, &anywhere, WORDS("--tty=true")), 0);
	assert_true(line.values.tty);
	assert_int_equal(parse(&line, &anywhere, WORDS("-t", "--tty=false")),
			 0);
	assert_false(line.values.tty);
	assert_int_equal(parse(&line, &anywhere, WORDS("--tty=maybe")),
			 -IMG_E_INPUT);
	assert_string_equal(line.err.msg,
			    "--tty is true or false, not 'maybe'");
}

static void lists_keep_their_order(void **state)
{
	struct line line;
	int n = parse(&line, &anywhere,
		      WORDS("-e", "A=1", "x", "--env=B=", "-eC", "--env", ""));

	assert_arguments(&line, n, WORDS("x"));
	assert_int_equal(line.values.env.n, 4);
	assert_string_equal(line.values.env.text[0], "A=1");
	assert_string_equal(line.values.env.text[1], "B=");
	assert_string_equal(line.values.env.text[2], "C");
	assert_string_equal(line.values.env.text[3], "");
	options_release(&anywhere, &line.values);
	assert_null(line.values.env.text);
	options_release(&anywhere, &line.values);
}

static void numbers(void **state)
{
	struct line line;

	assert_int_equal(parse(&line, &anywhere,
			       WORDS("--size", "1.5G", "--max-entries=7")),
			 0);
	assert_int_equal(line.values.size_bytes, GIB + GIB / 2);
	assert_int_equal(line.values.max, 7);
	assert_int_equal(parse(&line, &anywhere, WORDS("--size=big")),
			 -IMG_E_INPUT);
	assert_string_equal(line.err.msg, "--size 'big' is not a size (try "
					  "512M or 10G)");
	assert_int_equal(parse(&line, &anywhere, WORDS("--max-entries", "-1")),
			 -IMG_E_INPUT);
	assert_string_equal(line.err.msg,
			    "--max-entries '-1' is not a whole number");
}

static void a_dash_alone_is_an_argument(void **state)
{
	struct line line;
	int n = parse(&line, &anywhere, WORDS("-", "-t", "a"));

	assert_arguments(&line, n, WORDS("-", "a"));
	n = parse(&line, &anywhere, WORDS("--name", "-", "-n", "-"));
	assert_int_equal(n, 0);
	assert_string_equal(line.values.name, "-");
}

static void two_dashes_end_the_options(void **state)
{
	struct line line;
	int n = parse(&line, &anywhere,
		      WORDS("a", "-t", "--", "-i", "--", "b"));

	assert_arguments(&line, n, WORDS("a", "-i", "--", "b"));
	assert_true(line.values.tty && !line.values.interactive);
	n = parse(&line, &anywhere, WORDS("--name", "--", "-t"));
	assert_int_equal(n, 0);
	assert_string_equal(line.values.name, "--");
	n = parse(&line, &anywhere, WORDS("--"));
	assert_int_equal(n, 0);
	assert_null(line.argv[0]);
}

static void a_command_is_not_looked_at(void **state)
{
	struct line line;
	int n = parse(&line, &then_command,
		      WORDS("-t", "image", "ls", "-l", "--nonsense", "--"));

	assert_arguments(&line, n,
			 WORDS("image", "ls", "-l", "--nonsense", "--"));
	assert_true(line.values.tty);
	n = parse(&line, &then_command, WORDS("--", "-image", "-t"));
	assert_arguments(&line, n, WORDS("-image", "-t"));
	assert_false(line.values.tty);
}

static void mistakes_are_named(void **state)
{
	static const struct {
		const char *words[3], *message;
		enum img_code code;
	} cases[] = {
		{ { "--nonsense" },
		  "unknown option --nonsense",
		  IMG_E_NOT_FOUND },
		{ { "--nonsense=1" },
		  "unknown option --nonsense=1",
		  IMG_E_NOT_FOUND },
		{ { "--nam", "x" }, "unknown option --nam", IMG_E_NOT_FOUND },
		{ { "--names=x" }, "unknown option --names=x", IMG_E_NOT_FOUND },
		{ { "--=x" }, "unknown option --=x", IMG_E_NOT_FOUND },
		{ { "--help=x" }, "unknown option --help=x", IMG_E_NOT_FOUND },
		{ { "-x" }, "unknown option -x", IMG_E_NOT_FOUND },
		{ { "-itx" }, "unknown option -itx", IMG_E_NOT_FOUND },
		{ { "a", "--name" },
		  "option --name wants a value",
		  IMG_E_INPUT },
		{ { "-n" }, "option -n wants a value", IMG_E_INPUT },
		{ { "-tn" }, "option -tn wants a value", IMG_E_INPUT },
		{ { "--size" }, "option --size wants a value", IMG_E_INPUT },
	};

	for (size_t i = 0; i < IMG_COUNT(cases); i++) {
		struct line line;

		assert_int_equal(parse(&line, &anywhere, cases[i].words),
				 -(int)cases[i].code);
		assert_string_equal(line.err.msg, cases[i].message);
	}
}

static void help_may_stand_anywhere(void **state)
{
	struct line line;

	assert_int_equal(parse(&line, &anywhere, WORDS("-t", "a", "--help")),
			 OPTIONS_HELP);
	assert_int_equal(parse(&line, &then_command, WORDS("--help", "a")),
			 OPTIONS_HELP);
	/* A command's own, a value, an argument. */
	assert_int_equal(parse(&line, &then_command, WORDS("a", "--help")), 2);
	assert_int_equal(parse(&line, &anywhere, WORDS("--name", "--help")), 0);
	assert_string_equal(line.values.name, "--help");
	assert_int_equal(parse(&line, &anywhere, WORDS("--", "--help")), 1);
}

static void nothing_is_something_too(void **state)
{
	struct line line;

	assert_int_equal(parse(&line, &anywhere, (const char *const[]){ NULL }),
			 0);
	assert_int_equal(parse(&line, &anywhere, WORDS("--name=", "")), 1);
	assert_string_equal(line.values.name, "");
	assert_string_equal(line.argv[0], "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_forms_of_a_value),
		cmocka_unit_test(flags_join),
		cmocka_unit_test(flags_have_values),
		cmocka_unit_test(lists_keep_their_order),
		cmocka_unit_test(numbers),
		cmocka_unit_test(a_dash_alone_is_an_argument),
		cmocka_unit_test(two_dashes_end_the_options),
		cmocka_unit_test(a_command_is_not_looked_at),
		cmocka_unit_test(mistakes_are_named),
		cmocka_unit_test(help_may_stand_anywhere),
		cmocka_unit_test(nothing_is_something_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
