#include "runtime/signals.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void both_masks_are_read(void **state)
{
	uint64_t mask = 0;

	assert_true(signals_parse_status(
		"Name:\tSigIgn:\t7\nSigBlk:\t00ff\n"
		"SigIgn:\t0000000000001000\nSigCgt:\t0000000180000002\n",
		&mask));
	assert_int_equal(mask, 0x180001002);
	assert_true(signals_parse_status("Name:\tx\nSigIgn:\t0000000000000000\n"
					 "SigCgt:\tffffffffffffffff\n",
					 &mask));
	assert_int_equal(mask, UINT64_MAX);
}

static void half_a_status_is_none(void **state)
{
	uint64_t mask;

	assert_false(signals_parse_status("", &mask));
	assert_false(signals_parse_status("Name:\tx\nSigIgn:\t1\n", &mask));
	assert_false(signals_parse_status("\nSigIgn:\t1\nSigCgt:\t", &mask));
	assert_false(signals_parse_status("\nSigIgn:\tx\nSigCgt:\t1\n", &mask));
}

static void on_signal(int sig)
{
}

static void everything_is_as_for_a_new_program(void **state)
{
	struct img_err err = { 0 };
	struct sigaction action;
	sigset_t blocked;

	assert_true(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
	assert_true(signal(SIGUSR1, on_signal) != SIG_ERR);
	sigfillset(&blocked);
	assert_int_equal(sigprocmask(SIG_SETMASK, &blocked, NULL), 0);
	assert_int_equal(signals_reset(&err), 0);
	assert_int_equal(sigaction(SIGPIPE, NULL, &action), 0);
	assert_true(action.sa_handler == SIG_DFL);
	assert_int_equal(sigaction(SIGUSR1, NULL, &action), 0);
	assert_true(action.sa_handler == SIG_DFL);
	assert_int_equal(sigprocmask(SIG_SETMASK, NULL, &blocked), 0);
	for (int sig = 1; sig < 32; sig++)
		assert_false(sigismember(&blocked, sig));
}

static void signals_have_names_and_numbers(void **state)
{
	static const char *const none[] = { "",	      "SIG",	"NOPE",
					    "0",      "-1",	"99",
					    "9x",     "KILL ",	"RTMIN+99",
					    "RTMIN+", "RTMIN-1" };

	assert_int_equal(signals_parse("KILL"), SIGKILL);
	assert_int_equal(signals_parse("sigterm"), SIGTERM);
	assert_int_equal(signals_parse("15"), SIGTERM);
	assert_int_equal(signals_parse("RTMIN"), SIGRTMIN);
	assert_int_equal(signals_parse("SIGRTMIN+3"), SIGRTMIN + 3);
	assert_int_equal(signals_parse("64"), 64);
	for (size_t i = 0; i < IMG_COUNT(none); i++)
		assert_int_equal(signals_parse(none[i]), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_masks_are_read),
		cmocka_unit_test(half_a_status_is_none),
		cmocka_unit_test(signals_have_names_and_numbers),
		cmocka_unit_test(everything_is_as_for_a_new_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
