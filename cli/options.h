#ifndef IMG_CLI_OPTIONS_H
#define IMG_CLI_OPTIONS_H

/*
 * Options of a verb, as a table: what parses them also documents them.
 *
 * A verb keeps its options in a struct of its own, zero-initialised; each row
 * of the table says at which offset a value goes.
 */
#include "base/err.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

enum option_kind {
	OPTION_FLAG,   /* bool */
	OPTION_UNLESS, /* bool that =false sets: it is on by default */
	OPTION_TEXT,   /* const char * */
	OPTION_LIST,   /* struct text_list, in the order given */
	OPTION_SIZE,   /* uint64_t, bytes */
	OPTION_U64,    /* uint64_t */
};

struct text_list {
	const char **text;
	size_t n;
};

struct option_row {
	char letter; /* 0: none */
	const char *name;
	const char *arg; /* what to call the value in help; NULL for a flag */
	const char *help;
	enum option_kind kind;
	size_t offset;
};

/* For options that several verbs have: a row of one in @type_, a struct of
 * theirs that is at @base_ in the verb's own. */
#define OPTION_ROW(letter_, name_, arg_, help_, kind_, base_, type_, member_)  \
	{                                                                      \
		letter_, name_, arg_, help_, kind_,                            \
			(base_) + offsetof(type_, member_)                     \
	}

/* The options that a verb takes and the arguments that follow them. */
struct option_table {
	const struct option_row *rows;
	size_t n;
	/* What follows the first argument is not looked at: a command. */
	bool stop_at_argument;
};

/**
 * options_parse - sort a command line into options and arguments
 * @values: the verb's struct
 * @argv: from the word after the verb on; reordered so that arguments come
 *	first, NULL-terminated
 *
 * Takes --name VALUE, --name=VALUE, -n VALUE, -nVALUE, joined flags as in
 * -it, and "--" to end the options.  Flags also take =true and =false.
 *
 * Returns the number of arguments; OPTIONS_HELP where --help stands among the
 * options, unless the table has one; or <0 naming the option: IMG_E_NOT_FOUND
 * for one that there is not, IMG_E_INPUT for a value that is none.
 */
#define OPTIONS_HELP INT_MAX
int options_parse(const struct option_table *table, void *values, char **argv,
		  struct img_err *err) IMG_MUST_USE;

/* Frees what the lists hold. */
void options_release(const struct option_table *table, void *values);

#endif
