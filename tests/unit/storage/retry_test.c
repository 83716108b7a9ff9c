#include "storage/retry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct plan {
	int busy;  /* so many calls are */
	int after; /* what the next one returns */
	int calls;
};

static int act(void *arg, struct img_err *err)
{
	struct plan *plan = arg;

	plan->calls++;
	if (plan->calls <= plan->busy)
		return img_err_set(err, IMG_E_BUSY, 0, "busy %d", plan->calls);
	if (plan->after < 0)
		return img_err_set(err, (enum img_code) - plan->after, 0,
				   "over");
	return plan->after;
}

static void until_it_is_not_busy(void **state)
{
	struct plan plan = { .busy = 3, .after = 1 };
	struct img_err err = { 0 };

	assert_int_equal(retry_while_busy(act, &plan, 60000, &err), 1);
	assert_int_equal(plan.calls, 4);
	assert_int_equal(err.code, IMG_OK);
}

static void another_failure_is_told_at_once(void **state)
{
	struct plan plan = { .busy = 2, .after = -IMG_E_CORRUPT };
	struct img_err err = { 0 };

	assert_int_equal(retry_while_busy(act, &plan, 60000, &err),
			 -IMG_E_CORRUPT);
	assert_int_equal(plan.calls, 3);
	assert_string_equal(err.msg, "over");
}

static void no_longer_than_it_may(void **state)
{
	struct plan once = { .busy = 99 }, some = { .busy = 99 };
	struct img_err err = { 0 }, last = { 0 };

	assert_int_equal(retry_while_busy(act, &once, 0, &err), -IMG_E_BUSY);
	assert_int_equal(once.calls, 1);
	assert_string_equal(err.msg, "busy 1");
	assert_int_equal(retry_while_busy(act, &some, 10, &last), -IMG_E_BUSY);
	assert_in_range(some.calls, 2, 98);
	assert_memory_equal(last.msg, "busy", 4);
	assert_string_not_equal(last.msg, "busy 1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(until_it_is_not_busy),
		cmocka_unit_test(another_failure_is_told_at_once),
		cmocka_unit_test(no_longer_than_it_may),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
