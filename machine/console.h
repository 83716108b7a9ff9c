#ifndef IMG_MACHINE_CONSOLE_H
#define IMG_MACHINE_CONSOLE_H

/*
 * The guest kernel's console, read for its last words.
 */
#include <stdbool.h>
#include <stddef.h>

#define CONSOLE_LINE_MAX 240

struct console {
	char line[CONSOLE_LINE_MAX]; /* being put together */
	size_t len;
	char last[CONSOLE_LINE_MAX];  /* last whole line that says something */
	char panic[CONSOLE_LINE_MAX]; /* why the kernel panicked; else "" */
};

/* Takes the next @size bytes of the console; a zeroed @console is a new one. */
void console_feed(struct console *console, const char *bytes, size_t size);

/* The console is closed: a last line without its end counts too. */
void console_end(struct console *console);

#endif
