#include "cli/options.h"

#include "base/num.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int add_to_list(struct text_list *list, const char *text)
{
	list->text =
		mem_realloc(list->text, (list->n + 1) * sizeof(*list->text));
	list->text[list->n++] = text;
	return 0;
}

static int set_flag(const struct option_row *row, bool *flag, const char *text,
		    struct img_err *err)
{
	if (!text || strcmp(text, "true") == 0)
		*flag = true;
	else if (strcmp(text, "false") == 0)
		*flag = false;
	else
		return img_err_set(err, IMG_E_INPUT, 0,
				   "--%s is true or false, not '%s'", row->name,
				   text);
	return 0;
}

static int set_unless(const struct option_row *row, bool *off, const char *text,
		      struct img_err *err)
{
	bool on;
	int r = set_flag(row, &on, text, err);

	if (r == 0)
		*off = !on;
	return r;
}

static bool is_flag(const struct option_row *row)
{
	return row->kind == OPTION_FLAG || row->kind == OPTION_UNLESS;
}

static int set(const struct option_row *row, void *values, const char *text,
	       struct img_err *err)
{
	void *at = (char *)values + row->offset;
	char what[64];

	(void)snprintf(what, sizeof(what), "--%s", row->name);
	switch (row->kind) {
	case OPTION_FLAG:
		return set_flag(row, at, text, err);
	case OPTION_UNLESS:
		return set_unless(row, at, text, err);
	case OPTION_TEXT:
		*(const char **)at = text;
		return 0;
	case OPTION_LIST:
		return add_to_list(at, text);
	case OPTION_SIZE:
		return num_parse_size(text, what, at, err);
	case OPTION_U64:
		return num_parse_u64(text, what, at, err);
	}
	return img_err_set(err, IMG_E_INTERNAL, 0, "--%s: unknown kind",
			   row->name);
}

static const struct option_row *find_long(const struct option_table *table,
					  const char *name, size_t len)
{
	for (size_t i = 0; i < table->n; i++)
		if (strlen(table->rows[i].name) == len &&
		    memcmp(table->rows[i].name, name, len) == 0)
			return &table->rows[i];
	return NULL;
}

static const struct option_row *find_letter(const struct option_table *table,
					    char letter)
{
	for (size_t i = 0; i < table->n; i++)
		if (table->rows[i].letter == letter)
			return &table->rows[i];
	return NULL;
}

static int no_value(const char *option, struct img_err *err)
{
	return img_err_set(err, IMG_E_INPUT, 0, "option %s wants a value",
			   option);
}

static int unknown(const char *option, struct img_err *err)
{
	return img_err_set(err, IMG_E_NOT_FOUND, 0, "unknown option %s",
			   option);
}

/* Each returns how many words it took, OPTIONS_HELP, or <0. */
static int parse_long(const struct option_table *table, void *values,
		      char **argv, struct img_err *err)
{
	const char *name = argv[0] + 2;
	const char *equal = strchr(name, '=');
	size_t len = equal ? (size_t)(equal - name) : strlen(name);
	const struct option_row *row = find_long(table, name, len);
	const char *text = equal ? equal + 1 : NULL;
	int r, taken = 1;

	if (!row)
		return strcmp(name, "help") == 0 ? OPTIONS_HELP
						 : unknown(argv[0], err);
	if (!is_flag(row) && !text) {
		text = argv[1];
		taken = 2;
		if (!text)
			return no_value(argv[0], err);
	}
	r = set(row, values, text, err);
	return r < 0 ? r : taken;
}

static int parse_letters(const struct option_table *table, void *values,
			 char **argv, struct img_err *err)
{
	for (const char *at = argv[0] + 1; *at; at++) {
		const struct option_row *row = find_letter(table, *at);
		const char *text = at + 1;
		int r;

		if (!row)
			return unknown(argv[0], err);
		if (is_flag(row)) {
			bool ends = *text == '=';

			r = set(row, values, ends ? text + 1 : NULL, err);
			if (r < 0 || ends)
				return r < 0 ? r : 1;
			continue;
		}
		if (*text == '=')
			text++;
		if (!*text)
			text = argv[1];
		if (!text)
			return no_value(argv[0], err);
		r = set(row, values, text, err);
		return r < 0 ? r : (text == argv[1] ? 2 : 1);
	}
	return 1;
}

int options_parse(const struct option_table *table, void *values, char **argv,
		  struct img_err *err)
{
	char **in = argv;
	int n = 0;

	while (*in) {
		int taken;

		if (strcmp(*in, "--") == 0) {
			in++;
			break;
		}
		if (in[0][0] != '-' || !in[0][1]) {
			if (table->stop_at_argument)
				break;
			argv[n++] = *in++;
			continue;
		}
		taken = in[0][1] == '-' ? parse_long(table, values, in, err)
					: parse_letters(table, values, in, err);
		if (taken < 0 || taken == OPTIONS_HELP)
			return taken;
		in += taken;
	}
	while (*in)
		argv[n++] = *in++;
	argv[n] = NULL;
	return n;
}

void options_release(const struct option_table *table, void *values)
{
	for (size_t i = 0; i < table->n; i++)
		if (table->rows[i].kind == OPTION_LIST) {
			struct text_list *list =
				(void *)((char *)values +
					 table->rows[i].offset);

			free(list->text);
			*list = (struct text_list){ 0 };
		}
}
