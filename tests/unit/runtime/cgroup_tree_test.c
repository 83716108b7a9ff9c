#include "runtime/cgroup_tree.h"

#include "base/attr.h"
#include "base/cleanup.h"
#include "tests/lib/made_cgroup.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void parents_are_plain_paths(void **state)
{
	static const char *const good[] = { "a", "/a", "a/b", "/a//b/", "a.b" };
	static const char *const bad[] = { "",	     "/",   "..",
					   "a/../b", "./a", "a\nb" };

	for (size_t i = 0; i < IMG_COUNT(good); i++) {
		struct img_err err = { 0 };

		assert_int_equal(cgroup_parent_check(good[i], &err), 0);
	}
	for (size_t i = 0; i < IMG_COUNT(bad); i++) {
		struct img_err err = { 0 };

		assert_int_equal(cgroup_parent_check(bad[i], &err),
				 -IMG_E_INPUT);
	}
}

static void a_parent_is_made_only_when_asked(void **state)
{
	const struct made_cgroup *made = *state;
	const struct cgroup_tree tree = { .top = made->dir };
	img_auto(img_fd_release) int fd = -1;
	struct img_err err = { 0 };
	struct stat st;

	assert_int_equal(cgroup_parent_open(&tree, NULL, false, &fd, &err),
			 -IMG_E_NOT_FOUND);
	err = (struct img_err){ 0 };
	assert_int_equal(cgroup_parent_open(&tree, NULL, true, &fd, &err), 0);
	assert_int_equal(fstatat(made->dir, "img", &st, 0), 0);
	assert_true(S_ISDIR(st.st_mode));
	img_fd_release(&fd);
	assert_int_equal(cgroup_parent_open(&tree, "/x//y/", true, &fd, &err),
			 0);
	assert_int_equal(fstatat(made->dir, "x/y", &st, 0), 0);
}

static void controllers_are_passed_on(void **state)
{
	const struct made_cgroup *made = *state;
	const struct cgroup_tree tree = { .top = made->dir };
	img_auto(img_fd_release) int fd = -1;
	struct img_err err = { 0 };
	char is[64];

	/* Only what is there, and not what is passed on already. */
	made_write(made->dir, "cgroup.controllers", "cpuset hugetlb pids\n");
	made_write(made->dir, "cgroup.subtree_control", "pids\n");
	assert_int_equal(cgroup_parent_open(&tree, NULL, true, &fd, &err), 0);
	assert_string_equal(made_read(made->dir, "cgroup.subtree_control", is,
				      sizeof(is)),
			    "+cpuset");
}

static void a_symlink_is_no_cgroup(void **state)
{
	const struct made_cgroup *made = *state;
	const struct cgroup_tree tree = { .top = made->dir };
	img_auto(img_fd_release) int fd = -1;
	struct img_err err = { 0 };

	assert_int_equal(symlinkat("/tmp", made->dir, "img"), 0);
	assert_true(cgroup_parent_open(&tree, NULL, true, &fd, &err) < 0);
	assert_int_equal(fd, -1);
}

static void why_a_controller_is_missing(void **state)
{
	const struct made_cgroup *made = *state;
	struct cgroup_tree tree = { .top = made->dir };
	struct img_err plain = { 0 }, shared = { 0 }, held = { 0 },
		       handed = { 0 };

	made_write(made->dir, "cgroup.controllers", "pids\n");
	assert_int_equal(cgroup_tree_lacks(&tree, "cpu", "--cpus", &plain),
			 -IMG_E_UNSUPPORTED);
	assert_string_equal(plain.msg, "--cpus: this kernel lacks the cgroup "
				       "controller 'cpu'");
	assert_int_equal(cgroup_tree_lacks(&tree, "pids", "--pids-limit",
					   &held),
			 -IMG_E_UNSUPPORTED);
	assert_non_null(strstr(held.msg, "'pids' cannot be had"));
	tree.handed_over = true;
	assert_int_equal(cgroup_tree_lacks(&tree, "cpu", "--cpus", &handed),
			 -IMG_E_UNSUPPORTED);
	assert_non_null(strstr(handed.msg, "what systemd handed over lacks"));
	tree.shared = true;
	assert_int_equal(cgroup_tree_lacks(&tree, "memory", "--memory",
					   &shared),
			 -IMG_E_UNSUPPORTED);
	assert_non_null(strstr(shared.msg, "is not in version 2 here"));
}

static int open_again(const struct made_cgroup *made)
{
	int fd = open(made->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void without_systemd_all_of_it_is_ours(void **state)
{
	img_auto(cgroup_tree_release) struct cgroup_tree tree =
		CGROUP_TREE_EMPTY;
	img_auto(img_fd_release) int root = open_again(*state);
	char path[] = "/a";

	cgroup_tree_choose(&tree, &root, path, false);
	assert_true(tree.top >= 0);
	assert_int_equal(root, -1);
	assert_false(tree.handed_over);
}

static void where_systemd_has_it_root_takes_a_part(void **state)
{
	const struct made_cgroup *made = *state;
	img_auto(cgroup_tree_release) struct cgroup_tree tree =
		CGROUP_TREE_EMPTY;
	img_auto(img_fd_release) int root = open_again(made);
	img_auto(img_fd_release) int fd = -1;
	char path[] = "/a.slice/b.scope", is[64];
	struct img_err err = { 0 };

	tree.systemd = true;
	assert_int_equal(mkdirat(made->dir, "a.slice", 0755), 0);
	assert_int_equal(mkdirat(made->dir, "a.slice/b.scope", 0755), 0);
	made_write(made->dir, "cgroup.controllers", "memory pids\n");
	made_write(made->dir, "cgroup.subtree_control", "memory pids\n");
	made_write(made->dir, "cgroup.procs", "2\n");
	cgroup_tree_choose(&tree, &root, path, true);
	assert_true(tree.top >= 0);
	assert_false(tree.handed_over);
	/* What stands in the root is systemd's and the kernel's: it stays. */
	assert_int_equal(cgroup_parent_open(&tree, NULL, true, &fd, &err), 0);
	assert_int_equal(faccessat(made->dir, "img", F_OK, 0), 0);
	assert_int_equal(faccessat(made->dir, "supervisor", F_OK, 0), -1);
	assert_string_equal(made_read(made->dir, "cgroup.subtree_control", is,
				      sizeof(is)),
			    "memory pids\n");
}

static void where_systemd_has_it_others_have_none(void **state)
{
	struct cgroup_tree tree = CGROUP_TREE_EMPTY;
	img_auto(img_fd_release) int root = open_again(*state);
	char path[] = "/a.slice";

	tree.systemd = true;
	cgroup_tree_choose(&tree, &root, path, false);
	assert_int_equal(tree.top, -1);
	cgroup_tree_choose(&tree, &root, NULL, false);
	assert_int_equal(tree.top, -1);
	assert_true(root >= 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parents_are_plain_paths),
		test_in_cgroup(a_parent_is_made_only_when_asked),
		test_in_cgroup(controllers_are_passed_on),
		test_in_cgroup(a_symlink_is_no_cgroup),
		test_in_cgroup(why_a_controller_is_missing),
		test_in_cgroup(without_systemd_all_of_it_is_ours),
		test_in_cgroup(where_systemd_has_it_root_takes_a_part),
		test_in_cgroup(where_systemd_has_it_others_have_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
