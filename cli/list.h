#ifndef IMG_CLI_LIST_H
#define IMG_CLI_LIST_H

/*
 * What all verbs that list something have in common: a table for people, JSON
 * for programs, or ids alone.
 */
#include "base/id.h"
#include "cli/table.h"
#include "cli/verb.h"

#include <jansson.h>

struct list_options {
	const char *format;
	bool quiet, no_trunc;
};

/* Rows of the option table of a verb whose struct @type has a struct
 * list_options as its member list. */
#define LIST_OPTION_ROWS(type)                                                 \
	{ 0,	       "format",                                               \
	  "FORMAT",    "table, json, or a template as {{json .}}",             \
	  OPTION_TEXT, offsetof(type, list.format) },                          \
		{ 0,	       "no-trunc",                                     \
		  NULL,	       "show whole ids and commands",                  \
		  OPTION_FLAG, offsetof(type, list.no_trunc) },                \
	{                                                                      \
		'q', "quiet", NULL, "show ids alone", OPTION_FLAG,             \
			offsetof(type, list.quiet)                             \
	}

struct list {
	const struct list_options *options;
	struct store *store;
	struct table table;
	json_t *json;
	const void *values; /* the verb's own options */
	const char *ref;    /* what to list of, or NULL */
};

struct list_kind {
	size_t columns;
	const char *heading[TABLE_COLUMNS_MAX];
	bool needs_store; /* else no store means an empty list */
	int (*fill)(struct list *list, struct img_err *err);
};

/* Opens the store, fills the list and prints it as the options say. */
int list_run(const struct cli *cli, const struct list_kind *kind,
	     const struct list_options *options, const void *values,
	     const char *ref, struct img_err *err) IMG_MUST_USE;

/* True when ids alone are wanted: @id was printed, and that is all. */
bool list_quiet(const struct list *list, const char *id);

/* The id as the list shows it, whole or its first 12 digits; in @out. */
const char *list_id(const struct list *list, const char *id,
		    char out[ID_LEN + 1]);

/* Adds to both forms; @json is taken over. */
void list_add(struct list *list, const char *const *cells, json_t *json);

#endif
