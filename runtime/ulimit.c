#include "runtime/ulimit.h"

#include "base/num.h"

#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

_Static_assert(ULIMIT_NONE == RLIM64_INFINITY, "one value for no limit");

static const struct {
	const char *name;
	int resource;
} names[] = {
	{ "core", RLIMIT_CORE },	 { "cpu", RLIMIT_CPU },
	{ "data", RLIMIT_DATA },	 { "fsize", RLIMIT_FSIZE },
	{ "locks", RLIMIT_LOCKS },	 { "memlock", RLIMIT_MEMLOCK },
	{ "msgqueue", RLIMIT_MSGQUEUE }, { "nice", RLIMIT_NICE },
	{ "nofile", RLIMIT_NOFILE },	 { "nproc", RLIMIT_NPROC },
	{ "rss", RLIMIT_RSS },		 { "rtprio", RLIMIT_RTPRIO },
	{ "rttime", RLIMIT_RTTIME },	 { "sigpending", RLIMIT_SIGPENDING },
	{ "stack", RLIMIT_STACK },
};

const char *ulimit_name(int resource)
{
	for (size_t i = 0; i < IMG_COUNT(names); i++)
		if (names[i].resource == resource)
			return names[i].name;
	return "?";
}

static int parse_value(const char *text, size_t len, uint64_t *ret,
		       struct img_err *err)
{
	char copy[24];

	if ((len == 2 && memcmp(text, "-1", len) == 0) ||
	    (len == 9 && memcmp(text, "unlimited", len) == 0)) {
		*ret = ULIMIT_NONE;
		return 0;
	}
	if (len >= sizeof(copy))
		return img_err_set(err, IMG_E_INPUT, 0, "'%.*s' is no number",
				   (int)len, text);
	memcpy(copy, text, len);
	copy[len] = '\0';
	return num_parse_u64(copy, "its value", ret, err);
}

static int parse(const char *text, struct ulimit *ret, struct img_err *err)
{
	const char *equal = strchr(text, '=');
	size_t len = equal ? (size_t)(equal - text) : 0;
	const char *colon;
	int r;

	if (!equal)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "expected NAME=SOFT[:HARD]");
	ret->resource = -1;
	for (size_t i = 0; i < IMG_COUNT(names); i++)
		if (strlen(names[i].name) == len &&
		    memcmp(names[i].name, text, len) == 0)
			ret->resource = names[i].resource;
	if (ret->resource < 0)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "there is no limit '%.*s'", (int)len, text);
	colon = strchrnul(equal + 1, ':');
	r = parse_value(equal + 1, (size_t)(colon - equal - 1), &ret->soft,
			err);
	ret->hard = ret->soft;
	if (r == 0 && *colon)
		r = parse_value(colon + 1, strlen(colon + 1), &ret->hard, err);
	if (r == 0 && ret->soft > ret->hard)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "the soft limit is above the hard one");
	return r;
}

int ulimit_parse(const char *text, struct ulimit *ret, struct img_err *err)
{
	if (parse(text, ret, err) < 0)
		return img_err_prefix(err, "invalid --ulimit '%s'", text);
	return 0;
}

/* The system call itself: the child shares its memory with the supervisor. */
static int prlimit_of_self(int resource, const struct rlimit64 *new,
			   struct rlimit64 *old)
{
	return (int)syscall(SYS_prlimit64, 0, resource, new, old);
}

int ulimits_make_room(const struct ulimit *list, size_t n, struct img_err *err)
{
	for (size_t i = 0; i < n; i++) {
		struct rlimit64 now;
		int r = prlimit_of_self(list[i].resource, NULL, &now);

		if (r == 0 && list[i].hard > now.rlim_max) {
			now.rlim_max = list[i].hard;
			r = prlimit_of_self(list[i].resource, &now, NULL);
		}
		if (r != 0)
			return img_err_sys(err, "cannot raise the limit '%s'",
					   ulimit_name(list[i].resource));
	}
	return 0;
}

int ulimits_set(const struct ulimit *list, size_t n, struct img_err *err)
{
	for (size_t i = 0; i < n; i++) {
		const struct rlimit64 new = { .rlim_cur = list[i].soft,
					      .rlim_max = list[i].hard };

		if (prlimit_of_self(list[i].resource, &new, NULL) != 0)
			return img_err_sys(err, "cannot set the limit '%s'",
					   ulimit_name(list[i].resource));
	}
	return 0;
}
