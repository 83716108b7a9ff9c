#include "image/name.h"

#include <ctype.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool is_alnum_lower(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* How many characters at @s separate two runs of letters: ".", "_", "__", or
 * any number of "-". */
static size_t separator_len(const char *s)
{
	if (s[0] == '_')
		return s[1] == '_' ? 2 : 1;
	return s[0] == '.' ? 1 : strspn(s, "-");
}

static bool is_component(const char *s, size_t len)
{
	size_t i = 0;

	for (;;) {
		size_t run = i;

		while (i < len && is_alnum_lower(s[i]))
			i++;
		if (i == run)
			return false;
		if (i == len)
			return true;
		run = separator_len(s + i);
		if (run == 0)
			return false;
		i += run;
	}
}

/* A registry: letters of either case, dots and dashes, and maybe a port. */
static bool is_host(const char *s, size_t len)
{
	const char *colon = memchr(s, ':', len);
	size_t host = colon ? (size_t)(colon - s) : len;

	if (host == 0 || s[0] == '-' || s[0] == '.')
		return false;
	if (!colon && !memchr(s, '.', len) &&
	    !(len == 9 && memcmp(s, "localhost", 9) == 0))
		return false;
	for (size_t i = 0; i < host; i++)
		if (!isalnum((unsigned char)s[i]) && s[i] != '.' && s[i] != '-')
			return false;
	if (!colon)
		return true;
	for (size_t i = host + 1; i < len; i++)
		if (s[i] < '0' || s[i] > '9')
			return false;
	return len > host + 1;
}

static bool is_name(const char *s, size_t len)
{
	bool first = true;

	for (;;) {
		const char *slash = memchr(s, '/', len);
		size_t part = slash ? (size_t)(slash - s) : len;

		if (!is_component(s, part) &&
		    !(first && slash && is_host(s, part)))
			return false;
		if (!slash)
			return true;
		s += part + 1;
		len -= part + 1;
		first = false;
	}
}

static bool is_tag(const char *s)
{
	size_t len = strlen(s);

	if (len == 0 || len > IMAGE_TAG_MAX || s[0] == '.' || s[0] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)s[i]) && !strchr("_.-", s[i]))
			return false;
	return true;
}

int image_name_parse(const char *text, struct image_name *ret,
		     struct img_err *err)
{
	const char *slash = strrchr(text, '/');
	const char *colon = strchr(slash ? slash : text, ':');
	size_t len = colon ? (size_t)(colon - text) : strlen(text);

	if (len > IMAGE_NAME_MAX)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "'%.40s...' is too long for an image name",
				   text);
	if (!is_name(text, len))
		return img_err_set(
			err, IMG_E_INPUT, 0,
			"'%s' is not an image name: lower-case "
			"letters, digits, and single . _ - / between "
			"them",
			text);
	if (colon && !is_tag(colon + 1))
		return img_err_set(err, IMG_E_INPUT, 0,
				   "'%s' is not a tag: up to 128 of letters, "
				   "digits, _ . -",
				   colon + 1);
	memcpy(ret->name, text, len);
	ret->name[len] = '\0';
	(void)snprintf(ret->tag, sizeof(ret->tag), "%s",
		       colon ? colon + 1 : "latest");
	return 0;
}

/* Cuts @ending off @s; true when it was there. */
static bool cut(char *s, const char *ending)
{
	size_t len = strlen(s), end = strlen(ending);

	if (len <= end || strcmp(s + len - end, ending) != 0)
		return false;
	s[len - end] = '\0';
	return true;
}

static void cut_endings(char *s)
{
	static const char *const compressed[] = { ".gz", ".xz", ".zst",
						  ".bz2" };
	static const char *const archive[] = { ".tar",	".tgz",	 ".txz",
					       ".tzst", ".tbz2", ".tbz" };

	for (size_t i = 0; i < IMG_COUNT(compressed); i++)
		if (cut(s, compressed[i]))
			break;
	for (size_t i = 0; i < IMG_COUNT(archive); i++)
		if (cut(s, archive[i]))
			break;
}

int image_name_from_source(const char *path, struct image_name *ret,
			   struct img_err *err)
{
	char base[NAME_MAX + 1];
	size_t len = strlen(path);
	const char *start;

	while (len > 1 && path[len - 1] == '/')
		len--;
	start = path + len;
	while (start > path && start[-1] != '/')
		start--;
	len -= (size_t)(start - path);
	if (len >= sizeof(base))
		len = sizeof(base) - 1;
	for (size_t i = 0; i < len; i++)
		base[i] = (char)tolower((unsigned char)start[i]);
	base[len] = '\0';
	cut_endings(base);
	if (!is_name(base, strlen(base)))
		return img_err_set(
			err, IMG_E_INPUT, 0,
			"no image name can be made of '%s': give one "
			"after it",
			path);
	return image_name_parse(base, ret, err);
}

int plain_name_check(const char *name, const char *what, size_t len_max,
		     struct img_err *err)
{
	const size_t len = strlen(name);
	bool ok = len >= 2 && len <= len_max && isalnum((unsigned char)name[0]);

	for (size_t i = 0; ok && i < len; i++)
		ok = isalnum((unsigned char)name[i]) || strchr("_.-", name[i]);
	if (!ok)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "'%.80s' is not a %s name: 2 to %zu "
				   "letters, digits, and _ . - after the first",
				   name, what, len_max);
	return 0;
}
