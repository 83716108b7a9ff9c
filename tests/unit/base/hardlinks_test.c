#include "base/hardlinks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define MANY 20000

static void path_of(unsigned i, char out[32])
{
	(void)snprintf(out, 32, "dir/%u", i);
}

/* Each is known by its first name, whatever the order they come in, and those
 * of one number on two devices are two files. */
static void many_are_told_apart(void **state)
{
	struct hardlinks links = { 0 };
	char path[32];

	for (unsigned i = 0; i < MANY; i++) {
		path_of(i, path);
		assert_null(hardlinks_seen(&links, 1 + i % 2, i / 2, path));
	}
	for (unsigned i = MANY; i-- > 0;) {
		path_of(i, path);
		assert_string_equal(hardlinks_seen(&links, 1 + i % 2, i / 2,
						   "again"),
				    path);
	}
	hardlinks_release(&links);
	assert_null(links.root);
	assert_null(hardlinks_seen(&links, 1, 0, "new"));
	hardlinks_release(&links);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
