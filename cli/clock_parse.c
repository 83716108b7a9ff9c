#include "cli/clock.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECOND_NS 1000000000

/* Of ten years: what is longer is a mistake, and could overflow. */
#define DURATION_MAX_S 315576000.0

/* One part as "1.5h": how many characters it takes, or 0. */
static size_t duration_part(const char *text, double *sum_s)
{
	static const struct {
		const char *name;
		double s;
	} units[] = {
		{ "ms", 1e-3 }, { "us", 1e-6 }, { "ns", 1e-9 }, { "h", 3600 },
		{ "m", 60 },	{ "s", 1 },	{ "d", 86400 },
	};
	size_t digits = strspn(text, "0123456789.");
	double value = strtod(text, NULL);

	if (!isdigit((unsigned char)text[0]))
		return 0;
	for (size_t i = 0; i < IMG_COUNT(units); i++) {
		size_t len = strlen(units[i].name);

		if (strncmp(text + digits, units[i].name, len) == 0) {
			*sum_s += value * units[i].s;
			return digits + len;
		}
	}
	return 0;
}

static bool duration(const char *text, int64_t *ret_ns)
{
	double s = 0;
	size_t len;

	do {
		len = duration_part(text, &s);
		text += len;
	} while (len && *text);
	*ret_ns = len && s <= DURATION_MAX_S ? (int64_t)(s * SECOND_NS) : 0;
	return len && s <= DURATION_MAX_S;
}

/* Digits after a dot, of a second. */
static const char *fraction(const char *text, int64_t *ns)
{
	int64_t unit = SECOND_NS / 10;

	if (*text != '.')
		return text;
	for (text++; isdigit((unsigned char)*text); text++) {
		*ns += (*text - '0') * unit;
		unit /= 10;
	}
	return text;
}

static bool unix_time(const char *text, int64_t *ret_ns)
{
	char *end;
	long long s;

	if (!isdigit((unsigned char)text[0]))
		return false;
	s = strtoll(text, &end, 10);
	if (s > INT64_MAX / SECOND_NS - 1)
		return false;
	*ret_ns = s * SECOND_NS;
	return *fraction(end, ret_ns) == '\0';
}

/* "Z" or "+01:00", as seconds. */
static bool zone(const char *text, int64_t *ret_s)
{
	int hours, minutes;
	char end;

	*ret_s = 0;
	if (strcmp(text, "Z") == 0)
		return true;
	if ((text[0] != '+' && text[0] != '-') ||
	    /* NOLINTNEXTLINE(cert-err34-c): two digits each */
	    sscanf(text + 1, "%2d:%2d%c", &hours, &minutes, &end) != 2)
		return false;
	*ret_s = (text[0] == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
	return true;
}

static bool calendar(const char *text, int64_t *ret_ns)
{
	static const char *const forms[] = { "%Y-%m-%dT%H:%M:%S",
					     "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H",
					     "%Y-%m-%d" };

	for (size_t i = 0; i < IMG_COUNT(forms); i++) {
		struct tm tm = { .tm_isdst = -1 };
		const char *rest = strptime(text, forms[i], &tm);
		int64_t ns = 0, zone_s = 0;

		if (!rest)
			continue;
		rest = fraction(rest, &ns);
		if (*rest && !zone(rest, &zone_s))
			continue;
		*ret_ns = *rest ? timegm(&tm) - zone_s : mktime(&tm);
		*ret_ns = *ret_ns * SECOND_NS + ns;
		return true;
	}
	return false;
}

int clock_parse(const char *text, const char *what, int64_t *ret_ns,
		struct img_err *err)
{
	if (calendar(text, ret_ns) || unix_time(text, ret_ns))
		return 0;
	if (duration(text, ret_ns)) {
		*ret_ns = clock_now_ns() - *ret_ns;
		return 0;
	}
	return img_err_set(err, IMG_E_INPUT, 0,
			   "%s '%s' is no time: 2026-01-31T12:00:00Z, seconds "
			   "since 1970, or how long ago as 1h30m",
			   what, text);
}

int clock_parse_duration(const char *text, const char *what, int64_t *ret_ns,
			 struct img_err *err)
{
	if (duration(text, ret_ns))
		return 0;
	return img_err_set(err, IMG_E_INPUT, 0,
			   "%s '%s' is no length of time as 1h30m", what, text);
}
