#include "image/entry.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Writes one byte, escaped where it must be; returns the length, 1 to 4. */
static size_t escape(unsigned char c, char out[5])
{
	if (c == '\'' || c == '\\')
		return (size_t)snprintf(out, 5, "\\%c", c);
	if (c == '\n')
		return (size_t)snprintf(out, 5, "\\n");
	if (c < 0x20 || c >= 0x7f)
		return (size_t)snprintf(out, 5, "\\x%02x", c);
	return (size_t)snprintf(out, 5, "%c", c);
}

static size_t escape_span(const char *from, size_t len, char *out, size_t room)
{
	size_t used = 0;

	for (size_t i = 0; i < len; i++) {
		char one[5];
		size_t n = escape((unsigned char)from[i], one);

		if (used + n > room)
			break;
		memcpy(out + used, one, n);
		used += n;
	}
	return used;
}

const char *entry_quote(const char *name, char out[ENTRY_QUOTED_MAX])
{
	const size_t room = ENTRY_QUOTED_MAX - 3; /* two quotes and NUL */
	size_t len = strlen(name), used = 0, escaped = 0;
	char one[5];

	for (size_t i = 0; i < len && escaped <= room; i++)
		escaped += escape((unsigned char)name[i], one);
	out[used++] = '\'';
	if (escaped <= room) {
		used += escape_span(name, len, out + used, room);
	} else { /* the end of a path says most; keep some of both */
		const size_t tail = 24, head = room - 3 - 4 * tail;

		used += escape_span(name, len, out + used, head);
		memcpy(out + used, "...", 3);
		used += 3;
		used += escape_span(name + len - tail, tail, out + used,
				    4 * tail);
	}
	out[used++] = '\'';
	out[used] = '\0';
	return out;
}

const char *entry_label(const struct entry *entry, char out[ENTRY_LABEL_MAX])
{
	char quoted[ENTRY_QUOTED_MAX];

	(void)snprintf(out, ENTRY_LABEL_MAX, "entry %" PRIu64 " %s",
		       entry->number, entry_quote(entry->path, quoted));
	return out;
}

int entry_blame_as(const char *subject, struct img_err *err)
{
	size_t len = strlen(subject), room = sizeof(err->msg) - 2;

	if (len > room)
		len = room;
	memmove(err->msg + len + 1, err->msg, sizeof(err->msg) - len - 1);
	err->msg[sizeof(err->msg) - 1] = '\0';
	memcpy(err->msg, subject, len);
	err->msg[len] = ' ';
	return -(int)err->code;
}

int entry_blame(const struct entry *entry, struct img_err *err)
{
	char label[ENTRY_LABEL_MAX];

	return entry_blame_as(entry_label(entry, label), err);
}
