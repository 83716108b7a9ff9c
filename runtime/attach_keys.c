#include "runtime/attach.h"

#include <string.h>

/* The byte that a key sends, or -1.  ctrl-@ to ctrl-_ send 0 to 31. */
static int key(const char *name, size_t len)
{
	char c;

	if (len == 1)
		return (unsigned char)name[0];
	if (len != 6 || strncmp(name, "ctrl-", 5) != 0)
		return -1;
	c = name[5];
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 1;
	return c && strchr("@[\\]^_", c) ? c - '@' : -1;
}

int attach_parse_keys(const char *text, struct attach_options *ret,
		      struct img_err *err)
{
	const char *at = text && *text ? text : ATTACH_KEYS_DEFAULT;

	ret->n_detach_keys = 0;
	for (;;) {
		size_t len = strcspn(at, ",");
		int c = key(at, len);

		if (c < 0 || ret->n_detach_keys == ATTACH_KEYS_MAX)
			return img_err_set(
				err, IMG_E_INPUT, 0,
				"--detach-keys '%s' is not up to %d of a "
				"character, ctrl-a to ctrl-z, or ctrl-@ [ \\ ] "
				"^ _, with commas between them",
				text, ATTACH_KEYS_MAX);
		ret->detach_keys[ret->n_detach_keys++] = (char)c;
		if (!at[len])
			return 0;
		at += len + 1;
	}
}
