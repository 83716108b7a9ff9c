#include "tests/unit/runtime/image_dir.h"

#include "runtime/colonfile.h"

/* Reads all lines of three fields; returns how many, or the error. */
static int count(const struct image_dir *dir, char *last, struct img_err *err)
{
	struct colonfile *file = malloc(sizeof(*file));
	char *f[3];
	int n = 0, r;

	assert_int_equal(colonfile_open(file, dir->fd, "/etc/f", err), 1);
	while ((r = colonfile_next(file, f, 3, err)) > 0) {
		n++;
		snprintf(last, 64, "%.9s|%.9s|%.30s", f[0], f[1], f[2]);
	}
	colonfile_close(file);
	free(file);
	return r < 0 ? r : n;
}

static void fields_are_split_and_the_rest_is_cut(void **state)
{
	struct image_dir *dir = *state;
	struct img_err err = { 0 };
	char last[64];

	image_dir_puts(dir, "etc/f", "a:b\na:b:c:d\n\nx::z");
	assert_int_equal(count(dir, last, &err), 2);
	assert_string_equal(last, "x||z");
	image_dir_puts(dir, "etc/f", "a:b\na:b:c:d\n");
	assert_int_equal(count(dir, last, &err), 1);
	assert_string_equal(last, "a|b|c");
	image_dir_puts(dir, "etc/f", "");
	assert_int_equal(count(dir, last, &err), 0);
}

static void a_missing_file_is_none(void **state)
{
	struct image_dir *dir = *state;
	struct img_err err = { 0 };
	struct colonfile *file = malloc(sizeof(*file));

	assert_int_equal(colonfile_open(file, dir->fd, "/etc/f", &err), 0);
	assert_int_equal(colonfile_open(file, dir->fd, "/nowhere/f", &err), 0);
	free(file);
}

/* Every length around the buffer's: the long line goes, its neighbours stay. */
static void lines_that_are_too_long_are_skipped(void **state)
{
	struct image_dir *dir = *state;
	struct img_err err = { 0 };
	size_t max = COLONFILE_LINE_MAX;
	char last[64];

	for (size_t len = max - 8; len < max + 8; len++) {
		char *text = malloc(len + 64), *at = text;
		int n;

		at += sprintf(at, "a:b:first\n");
		memset(at, ':', len);
		at += len;
		at += sprintf(at, "\na:b:last\n");
		image_dir_put(dir, "etc/f", text, (size_t)(at - text));
		free(text);
		n = count(dir, last, &err);
		assert_int_equal(n, len < max ? 3 : 2);
		assert_string_equal(last, "a|b|last");
	}
}

static void an_unended_long_line_is_skipped_too(void **state)
{
	struct image_dir *dir = *state;
	struct img_err err = { 0 };
	size_t len = 3 * COLONFILE_LINE_MAX;
	char *text = malloc(len);
	char last[64];

	memset(text, ':', len);
	memcpy(text, "a:b:c\n", 6);
	image_dir_put(dir, "etc/f", text, len);
	free(text);
	assert_int_equal(count(dir, last, &err), 1);
	assert_string_equal(last, "a|b|c");
}

static void a_file_without_end_is_an_error(void **state)
{
	struct image_dir *dir = *state;
	struct img_err err = { 0 };
	char path[96], last[64];

	image_dir_puts(dir, "etc/f", "a:b:c\n");
	snprintf(path, sizeof(path), "%s/etc/f", dir->path);
	assert_int_equal(truncate(path, (off_t)1 << 40), 0);
	assert_int_equal(count(dir, last, &err), -IMG_E_INPUT);
	assert_string_equal(err.msg,
			    "'/etc/f' of the image is larger than 16 MiB");
}

static void lines_with_nul_are_skipped(void **state)
{
	static const char text[] = "a:b:c\0:d\nx:y:z\n";
	struct image_dir *dir = *state;
	struct img_err err = { 0 };
	char last[64];

	image_dir_put(dir, "etc/f", text, sizeof(text) - 1);
	assert_int_equal(count(dir, last, &err), 1);
	assert_string_equal(last, "x|y|z");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_image(fields_are_split_and_the_rest_is_cut),
		test_in_image(a_missing_file_is_none),
		test_in_image(lines_that_are_too_long_are_skipped),
		test_in_image(an_unended_long_line_is_skipped_too),
		test_in_image(a_file_without_end_is_an_error),
		test_in_image(lines_with_nul_are_skipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
