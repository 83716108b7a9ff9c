#ifndef IMG_TESTS_MADE_CGROUP_H
#define IMG_TESTS_MADE_CGROUP_H

/*
 * A directory that stands for a cgroup: plain files, which hold what was last
 * written to them.
 */
#include <stddef.h>

struct made_cgroup {
	char path[64];
	int dir;
};

/* Setup and teardown of a test: *state is a struct made_cgroup. */
int made_cgroup_setup(void **state);
int made_cgroup_teardown(void **state);

#define test_in_cgroup(fn)                                                     \
	cmocka_unit_test_setup_teardown(fn, made_cgroup_setup,                 \
					made_cgroup_teardown)

/* Makes a file, or replaces what is in it. */
void made_write(int dir, const char *file, const char *text);
/* What was written to a file, up to @size - 1 bytes; "" where it is missing. */
const char *made_read(int dir, const char *file, char *out, size_t size);

#endif
