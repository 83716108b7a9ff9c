#include "runtime/tree_copy.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "tests/unit/runtime/image_dir.h"

#include <sys/xattr.h>

/*
 * A directory with a file of each kind, copied.
 */

static void write_file(int dir, const char *name, const char *text)
{
	img_auto(img_fd_release) int fd =
		openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static int make_dir(int dir, const char *name)
{
	int fd;

	assert_int_equal(mkdirat(dir, name, 0750), 0);
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static struct stat look(int dir, const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st;
}

static void assert_text(int dir, const char *name, const char *text)
{
	img_auto(img_mem_release) char *found = NULL;
	struct img_err err = { 0 };

	assert_int_equal(file_read_all(dir, name, 1000, &found, NULL, &err), 0);
	assert_string_equal(found, text);
}

static void all_of_it_is_copied(void **state)
{
	const struct image_dir *image = *state;
	const struct timespec old[] = { { .tv_sec = 1 },
					{ .tv_sec = 2, .tv_nsec = 3 } };
	img_auto(img_fd_release) int from = make_dir(image->fd, "from");
	img_auto(img_fd_release) int to = make_dir(image->fd, "to");
	img_auto(img_fd_release) int below = make_dir(from, "d");
	struct img_err err = { 0 };
	char target[8] = "", value[4] = "";
	bool with_xattr;

	write_file(from, "a", "one");
	write_file(below, "b", "two");
	assert_int_equal(fchmodat(from, "a", 04711, 0), 0);
	assert_int_equal(linkat(from, "a", below, "link", 0), 0);
	assert_int_equal(symlinkat("../x", from, "s"), 0);
	assert_int_equal(mkfifoat(from, "f", 0600), 0);
	assert_int_equal(utimensat(from, "a", old, 0), 0);
	with_xattr = fsetxattr(below, "user.k", "val", 3, 0) == 0;
	assert_true(with_xattr || errno == ENOTSUP); /* an older tmpfs */
	assert_int_equal(fchmod(from, 01777), 0);
	assert_int_equal(tree_copy(from, to, &err), 0);

	assert_text(to, "a", "one");
	assert_text(to, "d/b", "two");
	assert_int_equal(look(to, "a").st_mode, S_IFREG | 04711);
	assert_int_equal(look(to, "a").st_mtim.tv_sec, 2);
	assert_int_equal(look(to, "a").st_mtim.tv_nsec, 3);
	assert_int_equal(look(to, "a").st_ino, look(to, "d/link").st_ino);
	assert_int_equal(look(to, "a").st_nlink, 2);
	assert_int_equal(look(to, "d").st_mode, S_IFDIR | 0750);
	assert_int_equal(look(to, "f").st_mode, S_IFIFO | 0600);
	assert_int_equal(look(to, ".").st_mode, S_IFDIR | 01777);
	assert_int_equal(readlinkat(to, "s", target, sizeof(target) - 1), 4);
	assert_string_equal(target, "../x");
	img_fd_release(&below);
	below = openat(to, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (with_xattr) {
		assert_int_equal(fgetxattr(below, "user.k", value, 3), 3);
		assert_string_equal(value, "val");
	}
}

/* Their names lie far from each other, among those of others. */
static void many_links_are_copied(void **state)
{
	enum { FILES = 3000 };
	const struct image_dir *image = *state;
	img_auto(img_fd_release) int from = make_dir(image->fd, "from");
	img_auto(img_fd_release) int to = make_dir(image->fd, "to");
	img_auto(img_fd_release) int below = make_dir(from, "d");
	struct img_err err = { 0 };
	char name[16], other[24];

	for (int i = 0; i < FILES; i++) {
		(void)snprintf(name, sizeof(name), "%d", i);
		(void)snprintf(other, sizeof(other), "other-%d", FILES - i);
		write_file(from, name, name);
		assert_int_equal(linkat(from, name, below, other, 0), 0);
	}
	assert_int_equal(tree_copy(from, to, &err), 0);
	for (int i = 0; i < FILES; i++) {
		struct stat st;

		(void)snprintf(name, sizeof(name), "%d", i);
		(void)snprintf(other, sizeof(other), "d/other-%d", FILES - i);
		st = look(to, name);
		assert_int_equal(st.st_nlink, 2);
		assert_int_equal(look(to, other).st_ino, st.st_ino);
		assert_int_not_equal(look(from, name).st_ino, st.st_ino);
		assert_text(to, other, name);
	}
}

static void holes_stay_holes(void **state)
{
	const struct image_dir *image = *state;
	img_auto(img_fd_release) int from = make_dir(image->fd, "from");
	img_auto(img_fd_release) int to = make_dir(image->fd, "to");
	img_auto(img_fd_release) int fd =
		openat(from, "h", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	struct img_err err = { 0 };
	const off_t size = 100 << 20;

	assert_int_equal(pwrite(fd, "x", 1, size / 2), 1);
	assert_int_equal(ftruncate(fd, size), 0);
	assert_int_equal(tree_copy(from, to, &err), 0);
	assert_int_equal(look(to, "h").st_size, size);
	assert_true(look(to, "h").st_blocks * 512 < size / 10);
	img_fd_release(&fd);
	fd = openat(to, "h", O_RDONLY | O_CLOEXEC);
	assert_int_equal(lseek(fd, 0, SEEK_DATA) / 65536, size / 2 / 65536);
}

static void too_deep_is_told(void **state)
{
	const struct image_dir *image = *state;
	img_auto(img_fd_release) int from = make_dir(image->fd, "from");
	img_auto(img_fd_release) int to = make_dir(image->fd, "to");
	struct img_err err = { 0 };
	int at = dup(from);

	for (int i = 0; i <= TREE_COPY_DEPTH_MAX; i++) {
		int next = make_dir(at, "d");

		(void)close(at);
		at = next;
	}
	(void)close(at);
	assert_int_equal(tree_copy(from, to, &err), -IMG_E_UNSUPPORTED);
	assert_non_null(strstr(err.msg, "directories lie more than 200 deep"));
}

static void what_fails_is_named(void **state)
{
	const struct image_dir *image = *state;
	img_auto(img_fd_release) int from = make_dir(image->fd, "from");
	img_auto(img_fd_release) int to = make_dir(image->fd, "to");
	img_auto(img_fd_release) int below = make_dir(from, "d");
	struct img_err err = { 0 };

	write_file(below, "x", "one");
	assert_int_equal(mkdirat(to, "d", 0700), 0);
	assert_true(tree_copy(from, to, &err) < 0);
	assert_string_equal(err.msg, "cannot copy 'd': File exists");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_image(all_of_it_is_copied),
		test_in_image(many_links_are_copied),
		test_in_image(holes_stay_holes),
		test_in_image(too_deep_is_told),
		test_in_image(what_fails_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
