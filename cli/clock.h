#ifndef IMG_CLI_CLOCK_H
#define IMG_CLI_CLOCK_H

/*
 * Times as people and programs read and write them.
 */
#include "base/clock.h"
#include "base/err.h"

#define CLOCK_TEXT_MAX 40

/* "3 minutes ago", as docker says it.  Returns @out. */
const char *clock_age(int64_t ns, char out[CLOCK_TEXT_MAX]);
/* RFC 3339 in UTC with nanoseconds; 0 is docker's zero time. */
const char *clock_rfc3339(int64_t ns, char out[CLOCK_TEXT_MAX]);

/**
 * clock_parse - a time as docker's --since and --until take it
 * @text: RFC 3339, whole or without its end (local time where it names no
 *	zone); seconds since 1970, with a fraction or without; or how long ago,
 *	as "1h30m"
 * @what: the option, for the message
 *
 * Returns 0, or IMG_E_INPUT.
 */
int clock_parse(const char *text, const char *what, int64_t *ret_ns,
		struct img_err *err) IMG_MUST_USE;

/* As above, of "1h30m", "250ms" and the like alone: nanoseconds. */
int clock_parse_duration(const char *text, const char *what, int64_t *ret_ns,
			 struct img_err *err) IMG_MUST_USE;

#endif
