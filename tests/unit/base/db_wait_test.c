#include "base/db_wait.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void it_waits_until_its_time_is_up(void **state)
{
	struct db_wait wait = { .wait_ms = 30 };
	int64_t begin = clock_steady_ms();
	int tries = 0;

	while (db_wait_turn(&wait, tries))
		tries++;
	assert_true(tries > 0);
	assert_true(clock_steady_ms() - begin >= 30);
}

static void each_wait_has_its_time(void **state)
{
	struct db_wait wait = { .wait_ms = 60000, .until_ms = 1 };

	assert_int_equal(db_wait_turn(&wait, 1), 0); /* of the last wait */
	assert_int_equal(db_wait_turn(&wait, 0), 1);
	assert_int_equal(db_wait_turn(&wait, 1), 1);
}

static void who_may_not_wait_is_told_at_once(void **state)
{
	struct db_wait wait = { .wait_ms = 0 };

	assert_int_equal(db_wait_turn(&wait, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_waits_until_its_time_is_up),
		cmocka_unit_test(each_wait_has_its_time),
		cmocka_unit_test(who_may_not_wait_is_told_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
