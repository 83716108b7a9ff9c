/* The preloaded read(), under another name beside libc's. */
#define read preloaded_read
#include "machine/preload/flush.c"
#undef read

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct request a_flush = { .fds = { 9, 9 }, .sector_bytes = 512 };

/* Sends pointers through a pipe, as the driver does to its thread. */
static void pass(struct request **requests, size_t n, size_t count)
{
	struct request *got[BATCH / sizeof(struct request *)];
	ssize_t size = (ssize_t)(n * sizeof(*requests));
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], requests, (size_t)size), size);
	assert_int_equal(preloaded_read(ends[0], got, count), size);
	assert_memory_equal(got, requests, (size_t)size);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void each_flush_counts_one_piece(void **state)
{
	struct request flush = a_flush, other = a_flush,
		       write_request = a_flush;
	struct request *batch[] = { &flush, &write_request, &other };

	main_pid = -1; /* this is the thread */
	write_request.pieces = 3;
	pass(batch, 3, BATCH);
	assert_int_equal(flush.pieces, 1);
	assert_int_equal(other.pieces, 1);
	assert_int_equal(write_request.pieces, 3);
}

static void the_kernel_itself_is_left_alone(void **state)
{
	struct request flush = a_flush;
	struct request *batch[] = { &flush };

	remember_main_process();
	pass(batch, 1, BATCH);
	assert_int_equal(flush.pieces, 0);
}

static void other_reads_are_left_alone(void **state)
{
	struct request flush = a_flush;
	struct request *batch[] = { &flush };

	main_pid = -1;
	pass(batch, 1, sizeof(batch));
	assert_int_equal(flush.pieces, 0);
}

static void what_looks_otherwise_is_left_alone(void **state)
{
	struct request odd[5] = { a_flush, a_flush, a_flush, a_flush, a_flush };
	struct request *batch[] = { &odd[0], &odd[1], &odd[2], &odd[3],
				    &odd[4] };

	main_pid = -1;
	odd[0].fds[1] = 8;
	odd[1].sector_bytes = 4096;
	odd[2].error = 10;
	odd[3].offsets[1] = 65536;
	odd[4].fds[0] = odd[4].fds[1] = 0;
	pass(batch, 5, BATCH);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(odd[i].pieces, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_flush_counts_one_piece),
		cmocka_unit_test(the_kernel_itself_is_left_alone),
		cmocka_unit_test(other_reads_are_left_alone),
		cmocka_unit_test(what_looks_otherwise_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
