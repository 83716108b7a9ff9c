#include "machine/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

void terminal_init(struct terminal *terminal)
{
	*terminal = (struct terminal){
		.stdin_is_tty = isatty(STDIN_FILENO),
	};
	terminal->main = terminal->stdin_is_tty && isatty(STDOUT_FILENO);
	terminal->with_stderr = terminal->main && isatty(STDERR_FILENO);
}

uint32_t terminal_window(const struct terminal *terminal)
{
	struct winsize size;

	if (!terminal->main || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		return 0;
	return (uint32_t)size.ws_row << 16 | size.ws_col;
}

bool terminal_claim(struct terminal *terminal)
{
	struct termios raw;

	if (!terminal->stdin_is_tty)
		return true;
	if (tcgetpgrp(STDIN_FILENO) != getpgrp())
		return false;
	if (!terminal->main || terminal->is_raw ||
	    tcgetattr(STDIN_FILENO, &terminal->saved) < 0)
		return true;
	raw = terminal->saved;
	cfmakeraw(&raw);
	terminal->is_raw = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
	return true;
}

void terminal_release(struct terminal *terminal)
{
	/* A background process would be stopped for trying. */
	if (terminal->is_raw && tcgetpgrp(STDIN_FILENO) == getpgrp())
		(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &terminal->saved);
	terminal->is_raw = false;
}
