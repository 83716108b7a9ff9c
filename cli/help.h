#ifndef IMG_CLI_HELP_H
#define IMG_CLI_HELP_H

/*
 * Help, from the table of verbs: for the terminal, and as the man page.
 */
#include "cli/verb.h"

extern const struct option_table global_options;

void help_all(FILE *out);
void help_verb(FILE *out, const struct verb *verb);
/* "img ps [OPTIONS]": how it is called; the caller frees it. */
char *help_usage(const struct verb *verb);
/* img(1) in man(7) macros. */
void help_man(FILE *out);

#endif
