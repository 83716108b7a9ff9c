#ifndef IMG_CLI_VERB_H
#define IMG_CLI_VERB_H

/*
 * Verbs: one row each in the table of cli/verbs.c, one file each in cli/.
 * Parsing, help, the man page and completion all come from the rows.
 */
#include "cli/options.h"
#include "storage/store.h"

#include <stdio.h>

/* What stands before the verb on the command line. */
struct cli {
	const char *root;
	const char *run_root;
};

struct verb {
	const char *name; /* one word, or two as in "machine exec" */
	const char *arguments;
	const char *summary;
	const char *description; /* paragraphs for the man page, or NULL */
	struct option_table options;
	size_t values_size;	/* of the struct that the options go to */
	int min_args, max_args; /* -1: any number */
	int fail_status;	/* of the program when the verb fails; 0: 1 */
	int usage_status;	/* where it is not called right; 0: as that */
	/* Returns the exit status of the program, or <0 with @err filled. */
	int (*run)(const struct cli *cli, void *values, int argc, char **argv,
		   struct img_err *err);
};

extern const struct verb *const verbs[];
extern const size_t n_verbs;

/* Words of argv that name a verb (1 or 2), 0 when none does. */
int verb_find(char **argv, const struct verb **ret);

/* For words that name none: says so, and what may have been meant. */
int verb_missing(char **argv, struct img_err *err);

/* Says a failure, and returns @status. */
int cli_complain(const struct img_err *err, int status);

/* Opens the store that the command line means.  With @create it is made when
 * missing; else that is IMG_E_NOT_FOUND. */
int cli_open_store(const struct cli *cli, bool create, struct store **ret,
		   struct img_err *err) IMG_MUST_USE;

/* The same, but nothing is recovered: whoever looks for what is wrong wants to
 * see it. */
int cli_open_store_to_examine(const struct cli *cli, struct store **ret,
			      struct img_err *err) IMG_MUST_USE;

/* Opens the store, which has to be there, and finds a container in it as
 * container_find does. */
struct container_row;
int cli_open_container(const struct cli *cli, const char *ref,
		       struct store **ret_store, struct container_row *ret,
		       struct img_err *err) IMG_MUST_USE;

/* What the command line says of a store that is to be opened. */
struct store_options cli_store_options(const struct cli *cli);

#define VERB_OPTIONS(rows_)                                                    \
	{                                                                      \
		rows_, IMG_COUNT(rows_), false                                 \
	}
#define VERB_OPTIONS_THEN_COMMAND(rows_)                                       \
	{                                                                      \
		rows_, IMG_COUNT(rows_), true                                  \
	}

#endif
