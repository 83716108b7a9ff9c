#include "base/num.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int num_parse_u64(const char *text, const char *what, uint64_t *ret,
		  struct img_err *err)
{
	char *end;
	unsigned long long v;

	errno = 0;
	v = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || errno)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "%s '%s' is not a whole number", what, text);
	*ret = v;
	return 0;
}

/* The power of 1024 that a unit stands for, or -1. */
static int unit_power(const char *unit)
{
	static const char letters[] = "kmgtp";
	const char *at;

	if (!unit[0] || strcasecmp(unit, "b") == 0)
		return 0;
	at = strchr(letters, unit[0] | 0x20);
	if (!at)
		return -1;
	unit++;
	if (unit[0] && strcasecmp(unit, "b") != 0 &&
	    strcasecmp(unit, "ib") != 0)
		return -1;
	return (int)(at - letters) + 1;
}

/* That many @parts of @of, each a @count'th of it, rounded down: without
 * leaving 64 bits, as @count is at most a million. */
static uint64_t share(uint64_t of, uint64_t parts, uint64_t count)
{
	return of / count * parts + of % count * parts / count;
}

int num_parse_size(const char *text, const char *what, uint64_t *ret_bytes,
		   struct img_err *err)
{
	uint64_t whole, scale, fraction = 0, digits = 1;
	bool too_large;
	char *end = NULL;
	int power;

	errno = 0;
	whole = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9')
		goto bad;
	too_large = errno == ERANGE;
	if (*end == '.') {
		for (end++; *end >= '0' && *end <= '9'; end++)
			if (digits < 1000000) {
				fraction =
					fraction * 10 + (uint64_t)(*end - '0');
				digits *= 10;
			}
		if (digits == 1)
			goto bad;
	}
	power = unit_power(end);
	if (power < 0)
		goto bad;
	scale = UINT64_C(1) << (10 * power);
	if (too_large || num_mul_overflows(whole, scale, &whole) ||
	    num_add_overflows(whole, share(scale, fraction, digits), &whole) ||
	    whole > INT64_MAX)
		return img_err_set(err, IMG_E_INPUT, 0, "%s '%s' is too large",
				   what, text);
	*ret_bytes = whole;
	return 0;
bad:
	return img_err_set(err, IMG_E_INPUT, 0,
			   "%s '%s' is not a size (try 512M or 10G)", what,
			   text);
}

const char *num_format_size(uint64_t bytes, char out[SIZE_TEXT_MAX])
{
	static const char *const units[] = { "B",   "KiB", "MiB", "GiB",
					     "TiB", "PiB", "EiB" };
	uint64_t unit = 1;
	size_t u = 0;
	uint64_t tenths;

	while (u + 1 < IMG_COUNT(units) && bytes / unit >= 1000) {
		unit *= 1024;
		u++;
	}
	tenths = bytes / unit * 10 + bytes % unit * 10 / unit;
	if (u == 0 || tenths >= 1000)
		(void)snprintf(out, SIZE_TEXT_MAX, "%" PRIu64 " %s",
			       bytes / unit, units[u]);
	else
		(void)snprintf(out, SIZE_TEXT_MAX, "%" PRIu64 ".%" PRIu64 " %s",
			       tenths / 10, tenths % 10, units[u]);
	return out;
}
