#include "base/str.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void it_grows(void **state)
{
	img_auto(str_release) struct str s = { 0 };

	assert_null(s.s);
	for (size_t i = 0; i < 1000; i++) {
		str_add(&s, "ab");
		str_addf(&s, "%d%s", 7, "c");
		assert_int_equal(s.len, 4 * (i + 1));
		assert_int_equal(s.s[s.len], '\0');
		assert_true(s.cap > s.len);
	}
	assert_memory_equal(s.s + 3996, "ab7c", 5);
}

static void nothing_is_something(void **state)
{
	img_auto(str_release) struct str s = { 0 };

	str_add(&s, "");
	assert_string_equal(s.s, "");
	str_addf(&s, "%s", "");
	str_addn(&s, "xyz", 0);
	assert_int_equal(s.len, 0);
}

static void bytes_may_be_zero(void **state)
{
	img_auto(str_release) struct str s = { 0 };

	str_addn(&s, "a\0b", 3);
	str_addn(&s, s.s, 0);
	assert_int_equal(s.len, 3);
	assert_memory_equal(s.s, "a\0b", 4);
}

static void long_formats_fit(void **state)
{
	img_auto(str_release) struct str s = { 0 };

	str_addf(&s, "%0500d", 1);
	str_addf(&s, "%0*d", 5000, 2);
	assert_int_equal(s.len, 5500);
	assert_int_equal(s.s[499], '1');
	assert_int_equal(s.s[5499], '2');
}

static void taking_leaves_it_empty(void **state)
{
	struct str s = { 0 };
	img_auto(img_mem_release) char *none = str_take(&s);
	img_auto(img_mem_release) char *some = NULL;

	assert_string_equal(none, "");
	str_add(&s, "text");
	some = str_take(&s);
	assert_string_equal(some, "text");
	assert_null(s.s);
	assert_int_equal(s.len + s.cap, 0);
	str_release(&s);
}

static void memory_of_no_bytes_is_memory(void **state)
{
	img_auto(img_mem_release) void *a = mem_alloc(0);
	img_auto(img_mem_release) char *b = mem_zalloc(4);
	img_auto(img_mem_release) char *c = mem_printf("%d-%s", 3, "x");

	assert_non_null(a);
	assert_memory_equal(b, "\0\0\0\0", 4);
	b = mem_realloc(b, 100);
	assert_memory_equal(b, "\0\0\0\0", 4);
	assert_string_equal(c, "3-x");
}

static void a_releaser_keeps_errno(void **state)
{
	void *p = mem_alloc(1);
	int fd = 999; /* of no open file */
	FILE *none = NULL;

	errno = 42;
	img_mem_release(&p);
	img_fd_release(&fd);
	img_stdio_release(&none);
	assert_int_equal(errno, 42);
	assert_null(p);
	assert_int_equal(fd, -1);
}

static void taking_disarms_a_guard(void **state)
{
	int fd = 5;
	char *p = mem_strdup("x"), *taken;

	assert_int_equal(img_fd_take(&fd), 5);
	assert_int_equal(fd, -1);
	taken = img_mem_take(&p);
	assert_null(p);
	free(taken);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_grows),
		cmocka_unit_test(nothing_is_something),
		cmocka_unit_test(bytes_may_be_zero),
		cmocka_unit_test(long_formats_fit),
		cmocka_unit_test(taking_leaves_it_empty),
		cmocka_unit_test(memory_of_no_bytes_is_memory),
		cmocka_unit_test(a_releaser_keeps_errno),
		cmocka_unit_test(taking_disarms_a_guard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
