#include "base/mountinfo.h"

#include "base/attr.h"
#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static int find_proc(void *self, const struct mountinfo *mount,
		     struct img_err *err)
{
	dev_t *dev = self;

	if (strcmp(mount->place, "/proc") != 0)
		return 0;
	*dev = mount->dev;
	return 7;
}

static void a_walk_ends_where_it_is_told_to(void **state)
{
	struct img_err err = { 0 };
	struct stat st;
	dev_t dev = 0;

	assert_int_equal(mountinfo_each(find_proc, &dev, &err), 7);
	assert_int_equal(stat("/proc", &st), 0);
	assert_int_equal(st.st_dev, dev);
}

static void a_device_has_a_place_or_none(void **state)
{
	img_auto(img_mem_release) char *place = NULL;
	struct stat st;

	assert_int_equal(stat("/proc", &st), 0);
	place = mountinfo_place(st.st_dev);
	assert_non_null(place);
	assert_int_equal(place[0], '/');
	assert_null(mountinfo_place((dev_t)-1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_walk_ends_where_it_is_told_to),
		cmocka_unit_test(a_device_has_a_place_or_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
