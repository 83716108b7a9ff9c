#include "cli/container_ids.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static size_t read_text(const char *text, struct id_range *ret)
{
	char path[] = "/tmp/img-ids-XXXXXX";
	img_auto(img_mem_release) char *file = NULL;
	img_auto(img_fd_release) int root = -1;
	struct img_err err = { 0 };
	size_t n = 99;

	assert_non_null(mkdtemp(path));
	file = mem_printf("%s/subuid", path);
	if (file_replace(AT_FDCWD, file, text, strlen(text), false, &err) < 0)
		fail_msg("%s", err.msg);
	root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (id_ranges_read(root, "/subuid", "img", ret, &n, &err) < 0)
		fail_msg("%s", err.msg);
	if (file_remove_tree(AT_FDCWD, path, &err) < 0)
		fail_msg("%s", err.msg);
	return n;
}

static void ranges_are_read_and_nonsense_is_skipped(void **state)
{
	struct id_range ranges[ID_RANGES_MAX];

	assert_int_equal(read_text("", ranges), 0);
	assert_int_equal(read_text("ann:100000:65536\n", ranges), 0);
	assert_int_equal(read_text("img\nimg:\nimg:1\nimg::65536\nimg:0:65536\n"
				   "img:x:65536\nimg:-1:65536\nimg:1:-65536\n"
				   "img:4294967295:1\nimg:4294950000:65536\n"
				   "img:99999999999999999999:1\n"
				   "imgs:100000:65536\n",
				   ranges),
			 0);
	assert_int_equal(read_text("ann:100000:65536\nimg:200000:131072\n"
				   "# no\nimg:4294836224:65536",
				   ranges),
			 2);
	assert_int_equal(ranges[0].first, 200000);
	assert_int_equal(ranges[0].count, 131072);
	assert_int_equal(ranges[1].first, 4294836224u);
	assert_int_equal(ranges[1].count, 65536);
}

static void no_more_ranges_are_read_than_fit(void **state)
{
	struct id_range ranges[ID_RANGES_MAX];
	img_auto(str_release) struct str text = { 0 };

	for (int i = 0; i < ID_RANGES_MAX + 3; i++)
		str_addf(&text, "img:%d:65536\n", 100000 + i * 65536);
	assert_int_equal(read_text(text.s, ranges), ID_RANGES_MAX);
}

static void a_file_that_is_missing_has_no_ranges(void **state)
{
	struct id_range ranges[ID_RANGES_MAX];
	struct img_err err = { 0 };
	size_t n = 99;

	assert_int_equal(id_ranges_read(AT_FDCWD, "no/such/file", "img", ranges,
					&n, &err),
			 0);
	assert_int_equal(n, 0);
}

static void the_lowest_free_range_is_chosen(void **state)
{
	const struct id_range ranges[] = { { 1000, 65535 },
					   { 100000, 131072 + 5 },
					   { 4294836224u, 131070 } };
	const uint32_t used[] = { 100000, 165536, 4294836224u };
	const uint32_t odd[] = { 99999, 200000 };

	assert_int_equal(id_ranges_choose(ranges, 3, NULL, 0), 100000);
	assert_int_equal(id_ranges_choose(ranges, 3, used, 1), 165536);
	assert_int_equal(id_ranges_choose(ranges, 3, used + 1, 1), 100000);
	assert_int_equal(id_ranges_choose(ranges, 3, used, 2), 4294836224u);
	assert_int_equal(id_ranges_choose(ranges, 3, used, 3), 0);
	assert_int_equal(id_ranges_choose(ranges, 1, NULL, 0), 0);
	assert_int_equal(id_ranges_choose(NULL, 0, NULL, 0), 0);
	/* What overlaps is used, whatever it was aligned to. */
	assert_int_equal(id_ranges_choose(ranges, 2, odd, 2), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_are_read_and_nonsense_is_skipped),
		cmocka_unit_test(no_more_ranges_are_read_than_fit),
		cmocka_unit_test(a_file_that_is_missing_has_no_ranges),
		cmocka_unit_test(the_lowest_free_range_is_chosen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
