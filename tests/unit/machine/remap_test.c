/* The preloaded mmap64(), munmap() and mprotect(), under other names beside
 * libc's, and with their system calls counted. */
#define mmap64	 preloaded_mmap64
#define munmap	 preloaded_munmap
#define mprotect preloaded_mprotect
#define syscall	 counted_syscall
#include "machine/preload/remap.c"
#include <unistd.h>
#undef mmap64
#undef munmap
#undef mprotect
#undef syscall

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* The headers declared them under the other names. */
void *mmap64(void *addr, size_t size, int prot, int flags, int fd, off_t off);
int munmap(void *addr, size_t size);
long syscall(long number, ...);

#define PAGES	   8
#define AREA_BYTES ((TABLE_SIZE + PAGES) * 4096)
#define RW	   (PROT_READ | PROT_WRITE)

static int calls;
static void (*interrupt)(void); /* within the next system call */
static char *area;
static int file;

long counted_syscall(long number, ...)
{
	void (*now)(void) = interrupt;
	long args[6];
	va_list ap;

	va_start(ap, number);
	for (int i = 0; i < 6; i++)
		args[i] = va_arg(ap, long);
	va_end(ap);
	calls++;
	interrupt = NULL;
	if (now)
		now();
	return syscall(number, args[0], args[1], args[2], args[3], args[4],
		       args[5]);
}

static int begin_test(void **state)
{
	char text[2] = { 0 };

	memset(table, 0, sizeof(table));
	waiting = waiting_end = 0;
	file = memfd_create("pages", MFD_CLOEXEC);
	assert_true(file >= 0);
	for (int i = 0; i < 2 * PAGES; i++) {
		text[0] = (char)('a' + i);
		assert_int_equal(pwrite(file, text, 2, i * 4096), 2);
	}
	assert_int_equal(ftruncate(file, 2 * PAGES * 4096), 0);
	area = mmap64(NULL, AREA_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
		      -1, 0);
	assert_true(area != MAP_FAILED);
	return 0;
}

static int end_test(void **state)
{
	(void)munmap(area, AREA_BYTES);
	(void)close(file);
	return 0;
}

static char *at(int page)
{
	return area + page * 4096;
}

static void map_page(int page, int from)
{
	assert_ptr_equal(preloaded_mmap64(at(page), 4096, RW,
					  MAP_SHARED | MAP_FIXED, file,
					  from * 4096),
			 at(page));
}

static void unmap_pages(int page, int n)
{
	assert_int_equal(preloaded_munmap(at(page), (size_t)n * 4096), 0);
}

static bool is_mapped(int page)
{
	unsigned char in_core;

	return mincore(at(page), 4096, &in_core) == 0;
}

static void a_page_that_comes_back_stays(void **state)
{
	for (int i = 0; i < PAGES; i++)
		map_page(i, i);
	calls = 0;
	for (int i = 0; i < PAGES; i++) {
		unmap_pages(i, 1);
		map_page(i, i);
	}
	assert_int_equal(calls, 0);
	for (int i = 0; i < PAGES; i++)
		assert_int_equal(*at(i), 'a' + i);
}

static void holes_between_pages_stay_holes(void **state)
{
	for (int i = 0; i < PAGES; i++)
		map_page(i, i);
	unmap_pages(1, 2);
	unmap_pages(5, 1);
	map_page(6, 6); /* settles it */
	calls = 0;
	unmap_pages(1, 3); /* the hole and what is after it, as one */
	map_page(3, 3);
	unmap_pages(4, 1);
	map_page(4, 4);
	assert_int_equal(calls, 1); /* of 5, which waited */
	assert_false(is_mapped(1));
	assert_false(is_mapped(2));
	assert_int_equal(*at(3), 'd');
	assert_int_equal(*at(4), 'e');
	assert_false(is_mapped(5));
}

static void what_does_not_come_back_goes_with_the_next_call(void **state)
{
	map_page(0, 0);
	map_page(1, 1);
	map_page(2, 2);
	unmap_pages(0, 3);
	assert_true(is_mapped(0));
	map_page(1, 1);
	unmap_pages(7, 1);
	assert_false(is_mapped(0));
	assert_int_equal(*at(1), 'b');
	assert_false(is_mapped(2));
	/* Whatever that call is. */
	unmap_pages(1, 1);
	assert_true(is_mapped(1));
	assert_int_equal(preloaded_mprotect(at(6), 4096, PROT_READ), 0);
	assert_false(is_mapped(1));
}

static void another_page_in_its_place_is_mapped(void **state)
{
	map_page(0, 0);
	unmap_pages(0, 1);
	map_page(0, 9);
	assert_int_equal(*at(0), 'a' + 9);
	map_page(0, 10);
	assert_int_equal(*at(0), 'a' + 10);
	/* With other rights, too. */
	assert_int_equal(preloaded_mprotect(at(0), 4096, PROT_NONE), 0);
	unmap_pages(0, 1);
	map_page(0, 10);
	assert_int_equal(*at(0), 'a' + 10);
}

static void a_mapping_without_a_place_is_not_taken_for_a_hole(void **state)
{
	char *other;

	map_page(0, 0);
	unmap_pages(0, 1);
	other = preloaded_mmap64(at(0), 4096, RW, MAP_PRIVATE | MAP_ANONYMOUS,
				 -1, 0);
	assert_ptr_equal(other, at(0)); /* it settled, so that it is free */
	assert_int_equal(preloaded_munmap(other, 4096), 0);
	assert_false(is_mapped(0));
}

/* Too large for the table, or not of whole pages. */
static void what_is_not_known_is_done_at_once(void **state)
{
	map_page(0, 0);
	calls = 0;
	assert_int_equal(preloaded_munmap(area, 100), 0);
	assert_int_equal(calls, 1);
	assert_false(is_mapped(0));
	map_page(1, 1);
	assert_int_equal(preloaded_munmap(at(1) + 1, 4096), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(preloaded_munmap(at(1), (size_t)TABLE_SIZE * 4096), 0);
	assert_false(is_mapped(1));
}

static void unmap_first_page(void)
{
	unmap_pages(0, 1);
}

static void a_call_within_a_call_is_the_hosts(void **state)
{
	map_page(0, 0);
	map_page(1, 1);
	interrupt = unmap_first_page;
	map_page(2, 2);
	assert_false(is_mapped(0));
	assert_int_equal(*at(2), 'c');
	calls = 0;
	map_page(1, 1); /* nothing is known any more */
	assert_int_equal(calls, 1);
}

#define test(name) cmocka_unit_test_setup_teardown(name, begin_test, end_test)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_page_that_comes_back_stays),
		test(holes_between_pages_stay_holes),
		test(what_does_not_come_back_goes_with_the_next_call),
		test(another_page_in_its_place_is_mapped),
		test(a_mapping_without_a_place_is_not_taken_for_a_hole),
		test(what_is_not_known_is_done_at_once),
		test(a_call_within_a_call_is_the_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
