#include "cli/clock.h"

#include "base/attr.h"

#include <stdio.h>
#include <time.h>

const char *clock_age(int64_t ns, char out[CLOCK_TEXT_MAX])
{
	static const struct {
		int64_t limit, unit;
		const char *name;
	} steps[] = {
		{ 120, 1, "second" },
		{ 7200, 60, "minute" },
		{ 172800, 3600, "hour" },
		{ 1209600, 86400, "day" },
		{ 5184000, 604800, "week" },
		{ 63072000, 2592000, "month" },
		{ INT64_MAX, 31536000, "year" },
	};
	int64_t s = (clock_now_ns() - ns) / 1000000000;
	size_t i = 0;
	int64_t n;

	if (s < 1) {
		(void)snprintf(out, CLOCK_TEXT_MAX, "Less than a second ago");
		return out;
	}
	while (i + 1 < IMG_COUNT(steps) && s >= steps[i].limit)
		i++;
	n = s / steps[i].unit;
	(void)snprintf(out, CLOCK_TEXT_MAX, "%lld %s%s ago", (long long)n,
		       steps[i].name, n == 1 ? "" : "s");
	return out;
}

const char *clock_rfc3339(int64_t ns, char out[CLOCK_TEXT_MAX])
{
	int64_t rest = ns % 1000000000;
	time_t s = (time_t)(ns / 1000000000);
	struct tm tm;
	size_t n;

	if (ns == 0) {
		(void)snprintf(out, CLOCK_TEXT_MAX, "0001-01-01T00:00:00Z");
		return out;
	}
	if (rest < 0) { /* before the epoch */
		rest += 1000000000;
		s--;
	}
	(void)gmtime_r(&s, &tm);
	n = strftime(out, CLOCK_TEXT_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(out + n, CLOCK_TEXT_MAX - n, ".%09uZ", (unsigned)rest);
	return out;
}
