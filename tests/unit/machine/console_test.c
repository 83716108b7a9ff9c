#include "machine/console.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void feed(struct console *console, const char *text)
{
	console_feed(console, text, strlen(text));
}

static void a_panic_is_recognised_in_any_pieces(void **state)
{
	static const char text[] =
		"[    1.200000] Run /init as init process\r\n"
		"[    1.300000] Kernel panic - not syncing: VFS: Unable to "
		"mount root\r\n"
		"[    1.300000] CPU: 0 PID: 1\r\n";

	for (size_t cut = 1; cut < sizeof(text); cut++) {
		struct console console = { 0 };

		for (size_t at = 0; at < sizeof(text) - 1; at += cut)
			console_feed(&console, text + at,
				     cut < sizeof(text) - 1 - at
					     ? cut
					     : sizeof(text) - 1 - at);
		assert_string_equal(console.panic, "VFS: Unable to mount root");
		assert_string_equal(console.last, "CPU: 0 PID: 1");
	}
}

static void the_first_panic_counts(void **state)
{
	struct console console = { 0 };

	feed(&console, "Kernel panic - not syncing: one\n"
		       "Kernel panic - not syncing: two\n");
	assert_string_equal(console.panic, "one");
}

static void the_last_line_says_something(void **state)
{
	struct console console = { 0 };

	feed(&console, "cannot reach the host\n\n[    0.1] \n"
		       "[    0.200000] reboot: System halted\n");
	assert_string_equal(console.last, "cannot reach the host");
	feed(&console, "<3>[    0.300000] without an end");
	assert_string_equal(console.last, "cannot reach the host");
	console_end(&console);
	assert_string_equal(console.last, "without an end");
	assert_string_equal(console.panic, "");
}

static void a_line_without_end_is_cut(void **state)
{
	struct console console = { 0 };

	for (int i = 0; i < 10000; i++)
		feed(&console, "x\x1b\x01");
	console_end(&console);
	assert_int_equal(strlen(console.last), CONSOLE_LINE_MAX - 1);
	assert_int_equal(strspn(console.last, "x"), CONSOLE_LINE_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_panic_is_recognised_in_any_pieces),
		cmocka_unit_test(the_first_panic_counts),
		cmocka_unit_test(the_last_line_says_something),
		cmocka_unit_test(a_line_without_end_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
