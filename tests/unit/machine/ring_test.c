#include "machine/ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct ring ring;
static unsigned char data[RING_BYTES];
static const struct ring_end end = { &ring, data };

static int begin(void **state)
{
	memset(&ring, 0, sizeof(ring));
	return 0;
}

static void a_new_ring_is_empty(void **state)
{
	const unsigned char *from;
	unsigned char *to;

	assert_int_equal(ring_peek(&end, &from), 0);
	assert_int_equal(ring_space(&end, &to), RING_BYTES);
	assert_false(ring_is_drained(&end));
	atomic_store(&ring.ended, 1);
	assert_true(ring_is_drained(&end));
}

/* Odd sizes, far beyond the wrap of the counters: what goes in comes out. */
static void bytes_keep_their_order_past_every_wrap(void **state)
{
	uint32_t put = UINT32_MAX - 3 * RING_BYTES, taken = put;
	const unsigned char *from;
	unsigned char *to;

	atomic_store(&ring.head, put);
	atomic_store(&ring.tail, put);
	for (unsigned round = 0; round < 2000; round++) {
		size_t n = ring_space(&end, &to), most = 1 + round * 37 % 9001;

		n = n < most ? n : most;
		for (size_t i = 0; i < n; i++)
			to[i] = (unsigned char)((put + i) * 31 >> 3);
		ring_produce(&end, n);
		put += (uint32_t)n;
		n = ring_peek(&end, &from);
		most = 1 + round * 53 % 8009;
		n = n < most ? n : most;
		for (size_t i = 0; i < n; i++)
			if (from[i] !=
			    (unsigned char)((taken + (uint32_t)i) * 31 >> 3))
				fail_msg("wrong byte in round %u", round);
		ring_consume(&end, n);
		taken += (uint32_t)n;
	}
	assert_in_range(put - taken, 0, RING_BYTES);
}

static void a_full_ring_takes_nothing(void **state)
{
	const unsigned char *from;
	unsigned char *to;

	ring_produce(&end, RING_BYTES);
	assert_int_equal(ring_space(&end, &to), 0);
	assert_int_equal(ring_peek(&end, &from), RING_BYTES);
	ring_consume(&end, 1);
	assert_int_equal(ring_space(&end, &to), 1);
	assert_ptr_equal(to, data);
}

static void impossible_counters_move_nothing(void **state)
{
	const unsigned char *from;
	unsigned char *to;

	atomic_store(&ring.head, RING_BYTES + 1);
	assert_int_equal(ring_peek(&end, &from), 0);
	assert_int_equal(ring_space(&end, &to), 0);
	atomic_store(&ring.head, 0);
	atomic_store(&ring.tail, 5);
	assert_int_equal(ring_peek(&end, &from), 0);
	assert_int_equal(ring_space(&end, &to), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_new_ring_is_empty, begin),
		cmocka_unit_test_setup(bytes_keep_their_order_past_every_wrap,
				       begin),
		cmocka_unit_test_setup(a_full_ring_takes_nothing, begin),
		cmocka_unit_test_setup(impossible_counters_move_nothing, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
