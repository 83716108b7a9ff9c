#include "tests/unit/runtime/image_dir.h"

#include "base/cleanup.h"
#include "runtime/inroot.h"

static void assert_same(int fd, const struct image_dir *dir, const char *name)
{
	struct stat a, b;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &a), 0);
	assert_int_equal(fstatat(dir->fd, name, &b, 0), 0);
	assert_int_equal(a.st_ino, b.st_ino);
	assert_int_equal(a.st_dev, b.st_dev);
}

static void assert_mkdirs(const struct image_dir *dir, const char *path,
			  const char *really)
{
	img_auto(img_fd_release) int fd = -1;
	struct img_err err = { 0 };

	if (inroot_mkdirs(dir->fd, path, 0755, &fd, &err) < 0)
		fail_msg("%s", err.msg);
	assert_same(fd, dir, really);
}

static void directories_are_made_inside(void **state)
{
	struct image_dir *dir = *state;

	assert_int_equal(symlinkat("/", dir->fd, "up"), 0);
	assert_int_equal(symlinkat("../../../../etc", dir->fd, "far"), 0);
	assert_mkdirs(dir, "/", ".");
	assert_mkdirs(dir, "/a/b/c", "a/b/c");
	assert_mkdirs(dir, "a/b//d/", "a/b/d");
	assert_mkdirs(dir, "/../../x", "x");
	assert_mkdirs(dir, "/up/up/y", "y");
	assert_mkdirs(dir, "/far/z", "etc/z");
	assert_mkdirs(dir, "/new/../new2", "new2");
}

static void nothing_is_made_through_a_dangling_link(void **state)
{
	img_auto(img_fd_release) int fd = -1;
	struct image_dir *dir = *state;
	struct img_err err = { 0 };

	assert_int_equal(symlinkat("/nowhere", dir->fd, "dangling"), 0);
	assert_int_equal(inroot_mkdirs(dir->fd, "/dangling/x", 0755, &fd, &err),
			 -IMG_E_NOT_FOUND);
	assert_string_equal(err.msg, "cannot make directory '/dangling': No "
				     "such file or directory");
	assert_int_equal(faccessat(dir->fd, "nowhere", F_OK, 0), -1);
}

static void a_file_in_the_way_is_an_error(void **state)
{
	img_auto(img_fd_release) int fd = -1;
	struct image_dir *dir = *state;
	struct img_err err = { 0 };

	image_dir_puts(dir, "file", "");
	assert_int_equal(inroot_mkdirs(dir->fd, "/file/x", 0755, &fd, &err),
			 -IMG_E_SYS);
	assert_string_equal(err.msg,
			    "cannot use directory '/file/x': Not a directory");
}

static void paths_longer_than_a_path_are_refused(void **state)
{
	img_auto(img_fd_release) int fd = -1;
	struct image_dir *dir = *state;
	struct img_err err = { 0 };
	char *path = malloc(8192);

	for (size_t i = 0; i < 8190; i += 2)
		memcpy(path + i, "/a", 3);
	assert_int_equal(inroot_mkdirs(dir->fd, path, 0755, &fd, &err),
			 -IMG_E_SYS);
	assert_int_equal(err.sys_errno, ENAMETOOLONG);
	free(path);
}

static void magic_links_are_not_followed(void **state)
{
	/* A look-up below the real root: the descriptor is there to be found. */
	img_auto(img_fd_release) int root = -1;
	struct image_dir *dir = *state;
	char path[64];

	root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(root >= 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", dir->fd);
	assert_int_equal(inroot_open(root, path, O_PATH), -1);
	assert_int_equal(errno, ELOOP);
	assert_int_equal(inroot_open(root, "/proc/self/cwd", O_PATH), -1);
	assert_int_equal(errno, ELOOP);
}

static void files_are_made_with_their_parents(void **state)
{
	img_auto(img_fd_release) int made = -1;
	img_auto(img_fd_release) int again = -1;
	img_auto(img_fd_release) int linked = -1;
	struct image_dir *dir = *state;
	struct img_err err = { 0 };

	assert_int_equal(inroot_mkfile(dir->fd, "/p/q/f", &made, &err), 0);
	assert_same(made, dir, "p/q/f");
	assert_int_equal(inroot_mkfile(dir->fd, "/p/q/f", &again, &err), 0);
	assert_same(again, dir, "p/q/f");
	assert_int_equal(symlinkat("/p/q/f", dir->fd, "etc/link"), 0);
	assert_int_equal(inroot_mkfile(dir->fd, "/etc/link", &linked, &err), 0);
	assert_same(linked, dir, "p/q/f");
}

static void a_directory_is_no_file(void **state)
{
	img_auto(img_fd_release) int fd = -1;
	struct image_dir *dir = *state;
	struct img_err err = { 0 };

	assert_int_equal(inroot_mkfile(dir->fd, "/etc", &fd, &err),
			 -IMG_E_INPUT);
	assert_string_equal(err.msg, "cannot use file '/etc': Is a directory");
	err = (struct img_err){ 0 };
	assert_int_equal(inroot_mkfile(dir->fd, "/etc/x/", &fd, &err),
			 -IMG_E_INPUT);
	assert_string_equal(err.msg, "'/etc/x/' is no name for a file");
}

static void only_regular_files_are_opened(void **state)
{
	img_auto(img_fd_release) int fd = -1;
	struct image_dir *dir = *state;
	char c;

	assert_int_equal(mkfifoat(dir->fd, "fifo", 0644), 0);
	assert_int_equal(inroot_open_file(dir->fd, "/fifo"), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(inroot_open_file(dir->fd, "/etc"), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(inroot_open_file(dir->fd, "/none"), -1);
	assert_int_equal(errno, ENOENT);
	image_dir_puts(dir, "file", "x");
	fd = inroot_open_file(dir->fd, "/file");
	assert_true(fd >= 0);
	assert_int_equal(read(fd, &c, 1), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_image(directories_are_made_inside),
		test_in_image(nothing_is_made_through_a_dangling_link),
		test_in_image(a_file_in_the_way_is_an_error),
		test_in_image(paths_longer_than_a_path_are_refused),
		test_in_image(magic_links_are_not_followed),
		test_in_image(files_are_made_with_their_parents),
		test_in_image(a_directory_is_no_file),
		test_in_image(only_regular_files_are_opened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
