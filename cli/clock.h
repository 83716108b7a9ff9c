#ifndef IMG_CLI_CLOCK_H
#define IMG_CLI_CLOCK_H

/*
 * Times as people and programs read them.
 */
#include "base/clock.h"

#define CLOCK_TEXT_MAX 40

/* "3 minutes ago", as docker says it.  Returns @out. */
const char *clock_age(int64_t ns, char out[CLOCK_TEXT_MAX]);
/* RFC 3339 in UTC with nanoseconds; 0 is docker's zero time. */
const char *clock_rfc3339(int64_t ns, char out[CLOCK_TEXT_MAX]);

#endif
