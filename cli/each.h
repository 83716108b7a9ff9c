#ifndef IMG_CLI_EACH_H
#define IMG_CLI_EACH_H

/*
 * Verbs that do the same to several things: one that fails does not hinder the
 * others.
 */
#include "cli/verb.h"

struct each {
	const struct cli *cli;
	struct store *store;
	const void *values; /* the verb's options, or what else it needs */
	const char *doing;  /* "remove": for "cannot remove web: ..." */
	int (*fn)(const struct each *each, const char *argument,
		  struct img_err *err);
};

/* Calls each->fn for every argument.  All failures but the last are printed;
 * the last is returned. */
int each_name(const struct cli *cli, struct each *each, int argc, char **argv,
	      struct img_err *err) IMG_MUST_USE;
/* The same, with the store open for as long. */
int each_argument(const struct cli *cli, struct each *each, int argc,
		  char **argv, struct img_err *err) IMG_MUST_USE;

/* One more failed: that is now the last one, in @err, and what was there is
 * printed. */
void each_failed(struct img_err *err, const struct img_err *one);

#endif
