#include "machine/console.h"

#include <ctype.h>
#include <string.h>

#define PANIC "Kernel panic - not syncing: "

/* "[    1.280000] text" and "<6>[..." to "text" */
static const char *without_stamp(const char *line)
{
	const char *end;

	if (line[0] == '<' && isdigit((unsigned char)line[1]) && line[2] == '>')
		line += 3;
	if (line[0] == '[' && (end = strstr(line, "] ")) != NULL)
		line = end + 2;
	return line;
}

static void take_line(struct console *console)
{
	const char *text, *panic;

	console->line[console->len] = '\0';
	console->len = 0;
	text = without_stamp(console->line);
	if (!*text || strncmp(text, "reboot: ", 8) == 0)
		return; /* how it ends is never why */
	memcpy(console->last, text, strlen(text) + 1);
	panic = strstr(text, PANIC);
	if (panic && !console->panic[0])
		memcpy(console->panic, panic + strlen(PANIC),
		       strlen(panic + strlen(PANIC)) + 1);
}

void console_feed(struct console *console, const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (c == '\n')
			take_line(console);
		else if (c >= ' ' && c != 0x7f &&
			 console->len < sizeof(console->line) - 1)
			console->line[console->len++] = (char)c;
	}
}

void console_end(struct console *console)
{
	if (console->len)
		take_line(console);
}
