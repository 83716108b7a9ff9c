#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

static void the_wall_clock_counts_from_the_epoch(void **state)
{
	const int64_t s = clock_now_ns() / 1000000000;

	(void)state;
	assert_in_range(s, time(NULL) - 60, time(NULL) + 60);
}

static void the_steady_clock_goes_on(void **state)
{
	const struct timespec nap = { .tv_nsec = 20000000 };
	const int64_t us = clock_steady_us(), ms = clock_steady_ms();

	(void)state;
	assert_true(ms >= us / 1000);
	(void)nanosleep(&nap, NULL);
	assert_true(clock_steady_us() >= us + 20000);
	assert_true(clock_steady_ms() >= ms + 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_wall_clock_counts_from_the_epoch),
		cmocka_unit_test(the_steady_clock_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
