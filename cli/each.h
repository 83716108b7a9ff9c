#ifndef IMG_CLI_EACH_H
#define IMG_CLI_EACH_H

/*
 * Verbs that do the same to each of their arguments: one that fails does not
 * hinder the others.
 */
#include "cli/verb.h"

struct each {
	struct store *store;
	const void *values; /* the verb's options */
	const char *doing;  /* "remove": for "cannot remove web: ..." */
	int (*fn)(const struct each *each, const char *argument,
		  struct img_err *err);
};

/* Opens the store and calls each->fn for every argument.  All failures but
 * the last are printed; the last is returned. */
int each_argument(const struct cli *cli, struct each *each, int argc,
		  char **argv, struct img_err *err) IMG_MUST_USE;

#endif
