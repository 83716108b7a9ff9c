#include "cli/help.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* What cli/main.c has otherwise: the program is not linked into tests. */
static const struct option_row global_rows[] = {
	{ 'r', "root", "DIR", "directory of the store", OPTION_TEXT, 0 },
};
const struct option_table global_options = VERB_OPTIONS(global_rows);

static const struct verb *find(char **argv, int words)
{
	const struct verb *verb = NULL;

	assert_int_equal(verb_find(argv, &verb), words);
	return verb;
}

#define LINE(...) ((char *[]){ __VA_ARGS__, NULL })

static void verbs_are_found(void **state)
{
	char run[] = "run", pool[] = "pool", stop[] = "stop", x[] = "x";
	char runs[] = "runs", ru[] = "ru", empty[] = "", pools[] = "pools";

	assert_string_equal(find(LINE(run), 1)->name, "run");
	assert_string_equal(find(LINE(run, x), 1)->name, "run");
	assert_string_equal(find(LINE(pool, stop), 2)->name, "pool stop");
	assert_string_equal(find(LINE(pool, stop, x), 2)->name, "pool stop");
	(void)find(LINE(pool), 0);
	(void)find(LINE(pool, x), 0);
	(void)find(LINE(pools, stop), 0);
	(void)find(LINE(runs), 0);
	(void)find(LINE(ru), 0);
	(void)find(LINE(empty), 0);
	(void)find((char *[]){ NULL }, 0);
}

/* Every verb is found by its own name. */
static void each_name_is_its_own(void **state)
{
	for (size_t i = 0; i < n_verbs; i++) {
		img_auto(img_mem_release) char *copy =
			mem_strdup(verbs[i]->name);
		char *second = strchr(copy, ' ');

		if (second)
			*second++ = '\0';
		assert_ptr_equal(find(LINE(copy, second), second ? 2 : 1),
				 verbs[i]);
	}
}

static void check_row(const struct verb *verb, const struct option_row *row)
{
	if (!row->name[0] || !row->help[0])
		fail_msg("%s: an option without words", verb->name);
	for (const char *s = row->name; *s; s++)
		if (!islower((unsigned char)*s) && *s != '-')
			fail_msg("%s: --%s", verb->name, row->name);
	if (row->offset >= verb->values_size)
		fail_msg("%s: --%s lies outside of the values", verb->name,
			 row->name);
	/* A flag has no value, all else has one that help can name. */
	assert_int_equal(row->kind == OPTION_FLAG || row->kind == OPTION_UNLESS,
			 row->arg == NULL);
}

static void each_row_makes_sense(void **state)
{
	for (size_t i = 0; i < n_verbs; i++) {
		const struct verb *verb = verbs[i];
		const struct option_table *t = &verb->options;

		assert_non_null(verb->run);
		assert_true(verb->summary[0] &&
			    isupper((unsigned char)verb->summary[0]));
		assert_true(verb->summary[strlen(verb->summary) - 1] != '.');
		assert_true(verb->max_args == -1 ||
			    verb->max_args >= verb->min_args);
		for (size_t a = 0; a < t->n; a++) {
			check_row(verb, &t->rows[a]);
			for (size_t b = 0; b < a; b++) {
				if (strcmp(t->rows[a].name, t->rows[b].name) ==
					    0 ||
				    (t->rows[a].letter &&
				     t->rows[a].letter == t->rows[b].letter))
					fail_msg("%s has two of --%s",
						 verb->name, t->rows[a].name);
			}
		}
	}
}

static char *print_all(void)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	assert_non_null(f);
	help_all(f);
	assert_int_equal(fclose(f), 0);
	return text;
}

static char *print_verb(const struct verb *verb)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	assert_non_null(f);
	help_verb(f, verb);
	assert_int_equal(fclose(f), 0);
	return text;
}

static char *print_man(void)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	assert_non_null(f);
	help_man(f);
	assert_int_equal(fclose(f), 0);
	return text;
}

static void assert_has(const char *text, const char *piece)
{
	if (!strstr(text, piece))
		fail_msg("no '%s' in\n%s", piece, text);
}

static void help_names_every_verb(void **state)
{
	img_auto(img_mem_release) char *text = print_all();

	assert_has(text, "Usage: img [OPTIONS] VERB");
	assert_has(text, "-r, --root DIR");
	for (size_t i = 0; i < n_verbs; i++) {
		img_auto(img_mem_release) char *name =
			mem_printf("\n  %s  ", verbs[i]->name);
		img_auto(img_mem_release) char *summary =
			mem_printf("  %s\n", verbs[i]->summary);

		assert_has(text, name);
		assert_has(strstr(text, name), summary);
	}
}

static void help_of_a_verb_names_its_options(void **state)
{
	for (size_t i = 0; i < n_verbs; i++) {
		img_auto(img_mem_release) char *text = print_verb(verbs[i]);
		img_auto(img_mem_release) char *usage =
			mem_printf("Usage: img %s", verbs[i]->name);

		assert_memory_equal(text, usage, strlen(usage));
		assert_has(text, verbs[i]->summary);
		for (size_t o = 0; o < verbs[i]->options.n; o++) {
			img_auto(img_mem_release) char *option = mem_printf(
				"--%s", verbs[i]->options.rows[o].name);

			assert_has(text, option);
			assert_has(text, verbs[i]->options.rows[o].help);
		}
	}
}

/* Requests are those of man(7), and text is never taken for one. */
static void check_man_line(const char *line)
{
	static const char *const requests[] = { ".TH ", ".SH ", ".SS ",
						".B ",	".I ",	".BR ",
						".TP",	".PP",	".\\\"" };

	if (line[0] == '\'')
		fail_msg("a line of text begins with a quote: %s", line);
	if (line[0] != '.')
		return;
	for (size_t i = 0; i < IMG_COUNT(requests); i++)
		if (strncmp(line, requests[i], strlen(requests[i])) == 0)
			return;
	fail_msg("an unknown request: %s", line);
}

static void the_manual_page_is_one(void **state)
{
	img_auto(img_mem_release) char *text = print_man();
	char *rest = text, *line;

	for (size_t i = 0; i < n_verbs; i++) {
		img_auto(img_mem_release) char *heading =
			mem_printf(".SS \"img %s", verbs[i]->name);

		assert_has(text, heading);
	}
	assert_has(text, ".SH NAME\nimg \\- ");
	assert_has(text, ".SH EXIT STATUS\n");
	while ((line = strsep(&rest, "\n")) != NULL)
		check_man_line(line);
}

static int run_nothing(const struct cli *cli, void *values, int argc,
		       char **argv, struct img_err *err)
{
	return 0;
}

static void text_stays_as_it_is(void **state)
{
	static const struct verb verb = {
		.name = "x",
		.arguments = "",
		.summary = "S",
		.description = ".dot\n'quote\n\nback\\slash a-b",
		.run = run_nothing,
	};
	img_auto(img_mem_release) char *text = print_verb(&verb);

	assert_string_equal(text, "Usage: img x\n\nS\n\n.dot\n'quote\n\n"
				  "back\\slash a-b\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verbs_are_found),
		cmocka_unit_test(each_name_is_its_own),
		cmocka_unit_test(each_row_makes_sense),
		cmocka_unit_test(help_names_every_verb),
		cmocka_unit_test(help_of_a_verb_names_its_options),
		cmocka_unit_test(the_manual_page_is_one),
		cmocka_unit_test(text_stays_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
