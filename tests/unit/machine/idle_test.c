/* The preloaded timer_gettime(), under another name beside libc's. */
#define timer_gettime preloaded_timer_gettime
#include "machine/preload/idle.c"
#undef timer_gettime

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* The header declared it under the other name. */
int timer_gettime(timer_t id, struct itimerspec *value);

static timer_t new_timer(void)
{
	struct sigevent none = { .sigev_notify = SIGEV_NONE };
	timer_t id;

	assert_int_equal(timer_create(CLOCK_MONOTONIC, &none, &id), 0);
	return id;
}

static void a_timer_that_is_off_is_armed(void **state)
{
	timer_t id = new_timer();
	struct itimerspec seen, real;

	assert_int_equal(timer_gettime(id, &real), 0);
	assert_int_equal(real.it_value.tv_nsec, 0);
	assert_int_equal(preloaded_timer_gettime(id, &seen), 0);
	assert_int_equal(seen.it_value.tv_sec, 0);
	assert_int_equal(seen.it_value.tv_nsec, WAKE_NS);
	assert_int_equal(seen.it_interval.tv_nsec, 0);
	/* It went off since, or will. */
	assert_int_equal(timer_gettime(id, &real), 0);
	assert_true(real.it_value.tv_sec == 0 &&
		    real.it_value.tv_nsec <= WAKE_NS);
	assert_int_equal(timer_delete(id), 0);
}

static void one_that_is_armed_is_left_alone(void **state)
{
	const struct itimerspec hour = { .it_value.tv_sec = 3600 };
	timer_t id = new_timer();
	struct itimerspec seen;

	assert_int_equal(timer_settime(id, 0, &hour, NULL), 0);
	assert_int_equal(preloaded_timer_gettime(id, &seen), 0);
	assert_in_range(seen.it_value.tv_sec, 3500, 3600);
	assert_int_equal(timer_delete(id), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_timer_that_is_off_is_armed),
		cmocka_unit_test(one_that_is_armed_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
