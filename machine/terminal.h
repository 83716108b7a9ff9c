#ifndef IMG_MACHINE_TERMINAL_H
#define IMG_MACHINE_TERMINAL_H

/*
 * The host's terminal, when the command is to have one.
 *
 * Raw while the command runs in the foreground, so that every key, ^C too,
 * reaches the guest's terminal as a byte; as it was otherwise.
 */
#include <stdbool.h>
#include <stdint.h>
#include <termios.h>

struct terminal {
	bool stdin_is_tty;
	bool main;	  /* stdin and stdout both: the command gets one */
	bool with_stderr; /* stderr as well */
	bool is_raw;
	struct termios saved;
};

void terminal_init(struct terminal *terminal);

/* Rows << 16 | columns; 0 when there is no terminal. */
uint32_t terminal_window(const struct terminal *terminal);

/* Takes the terminal if this process is in its foreground and has not yet.
 * Returns true when stdin may be read without being stopped for it. */
bool terminal_claim(struct terminal *terminal);

/* As it was before. */
void terminal_release(struct terminal *terminal);

#endif
