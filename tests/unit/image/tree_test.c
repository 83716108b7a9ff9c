#include "image/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int setup(void **state)
{
	*state = tree_new(
		&(struct tree_options){ .max_entries = 50, .now_s = 7 });
	return 0;
}

static int teardown(void **state)
{
	tree_free(*state);
	return 0;
}

static struct tree_node *add(struct tree *tree, enum entry_type type,
			     const char *path, const char *link)
{
	const struct entry entry = { .number = 1,
				     .path = path,
				     .type = type,
				     .mode = 0640,
				     .uid = 5,
				     .link = link };
	struct tree_node *node = NULL;
	struct img_err err = { 0 };

	if (tree_add(tree, &entry, &node, &err) < 0)
		fail_msg("%s", err.msg);
	if (type == ENTRY_SYMLINK) {
		char *target = tree_alloc(tree, strlen(link) + 1);

		memcpy(target, link, strlen(link) + 1);
		node->target = target;
	}
	return node;
}

static void refused(struct tree *tree, enum entry_type type, const char *path,
		    const char *link, const char *message)
{
	const struct entry entry = {
		.number = 9, .path = path, .type = type, .link = link
	};
	struct tree_node *node;
	struct img_err err = { 0 };

	assert_int_equal(tree_add(tree, &entry, &node, &err), -IMG_E_INPUT);
	assert_string_equal(err.msg, message);
}

static void parents_are_made(void **state)
{
	struct tree *tree = *state;
	struct tree_node *file = add(tree, ENTRY_FILE, "/a//./b/c", NULL);
	struct tree_node *dir = add(tree, ENTRY_DIR, "a", NULL);

	assert_int_equal(dir->mode, 0040640);
	assert_int_equal(dir->dir->n_names, 1);
	assert_ptr_equal(add(tree, ENTRY_HARDLINK, "d", "a/b/c"), file);
	assert_int_equal(file->links, 2);
	assert_int_equal(tree_n_nodes(tree), 4); /* /, a, a/b, c */
	assert_int_equal(dir->dir->first->node->mtime_s, 7);
	assert_int_equal(dir->dir->first->node->mode, 0040755);
}

static void paths_that_lead_out_are_refused(void **state)
{
	struct tree *tree = *state;

	refused(tree, ENTRY_FILE, "a/../../etc/passwd", NULL,
		"entry 9 'a/../../etc/passwd' leaves the image");
	refused(tree, ENTRY_FILE, "a/b/../c", NULL,
		"entry 9 'a/b/../c' has '..' in its path");
	refused(tree, ENTRY_DIR, "..", NULL, "entry 9 '..' leaves the image");
	(void)add(tree, ENTRY_FILE, "..a/...", NULL);
}

static void nothing_goes_through_a_symlink(void **state)
{
	struct tree *tree = *state;

	(void)add(tree, ENTRY_SYMLINK, "l", "/etc");
	(void)add(tree, ENTRY_FILE, "f", NULL);
	refused(tree, ENTRY_FILE, "l/passwd", NULL,
		"entry 9 'l/passwd' goes through 'l', a symlink to '/etc'");
	refused(tree, ENTRY_FILE, "f/x/y", NULL,
		"entry 9 'f/x/y' goes through 'f', which is no directory");
	refused(tree, ENTRY_HARDLINK, "h", "l/passwd",
		"entry 9 'h' is a hard link to 'l/passwd': goes through 'l', "
		"a symlink to '/etc'");
	/* a symlink itself may be replaced, and have links */
	(void)add(tree, ENTRY_HARDLINK, "l2", "l");
	(void)add(tree, ENTRY_DIR, "l", NULL);
	(void)add(tree, ENTRY_FILE, "l/passwd", NULL);
}

static void hard_links_need_a_file(void **state)
{
	struct tree *tree = *state;

	(void)add(tree, ENTRY_DIR, "d", NULL);
	refused(tree, ENTRY_HARDLINK, "h", "none",
		"entry 9 'h' is a hard link to 'none', which is not in the "
		"archive before it");
	refused(tree, ENTRY_HARDLINK, "h", "no/ne",
		"entry 9 'h' is a hard link to 'no/ne', which is not in the "
		"archive before it");
	refused(tree, ENTRY_HARDLINK, "h", "d",
		"entry 9 'h' is a hard link to 'd', which is a directory");
	refused(tree, ENTRY_HARDLINK, "h", "./",
		"entry 9 'h' is a hard link to './', which is a directory");
	refused(tree, ENTRY_HARDLINK, "h", "../x",
		"entry 9 'h' is a hard link to '../x': leaves the image");
}

static void later_entries_replace(void **state)
{
	struct tree *tree = *state;
	struct tree_node *one = add(tree, ENTRY_FILE, "x", NULL), *two;

	(void)add(tree, ENTRY_HARDLINK, "kept", "x");
	two = add(tree, ENTRY_FIFO, "x", NULL);
	assert_ptr_not_equal(one, two);
	assert_int_equal(one->links, 1);
	assert_int_equal(two->links, 1);
	/* a link to itself changes nothing */
	assert_ptr_equal(add(tree, ENTRY_HARDLINK, "x", "x"), two);
	assert_int_equal(two->links, 1);
	(void)add(tree, ENTRY_DIR, "x", NULL);
	assert_int_equal(two->links, 0);
	(void)add(tree, ENTRY_FILE, "x", NULL); /* was empty */
	(void)add(tree, ENTRY_DIR, "d", NULL);
	(void)add(tree, ENTRY_FILE, "d/f", NULL);
	refused(tree, ENTRY_FILE, "d", NULL,
		"entry 9 'd' would replace a directory that is not empty");
	assert_int_equal(add(tree, ENTRY_DIR, "d/", NULL)->dir->n_names, 1);
	assert_int_equal(tree_n_nodes(tree), 5); /* /, kept, x, d, d/f */
}

static void the_root_is_a_directory(void **state)
{
	struct tree *tree = *state;

	assert_ptr_equal(add(tree, ENTRY_DIR, "./", NULL), tree_first(tree));
	assert_int_equal(tree_first(tree)->uid, 5);
	refused(tree, ENTRY_FILE, "/", NULL,
		"entry 9 '/' would replace the root directory");
	refused(tree, ENTRY_FILE, "", NULL,
		"entry 9 '' would replace the root directory");
}

static void names_have_255_bytes(void **state)
{
	struct tree *tree = *state;
	char path[300];
	struct entry entry = { .number = 1, .path = path };
	struct tree_node *node;
	struct img_err err = { 0 };

	memset(path, 'n', sizeof(path));
	path[255] = '\0';
	(void)add(tree, ENTRY_FILE, path, NULL);
	path[255] = 'n';
	path[256] = '\0';
	assert_int_equal(tree_add(tree, &entry, &node, &err), -IMG_E_INPUT);
	assert_non_null(strstr(err.msg, "has a name of 256 bytes; 255 are"));
}

static void entries_are_limited(void **state)
{
	struct tree *tree = *state;

	for (int i = 0; i < 48; i++)
		(void)add(tree, ENTRY_FILE, "again", NULL);
	refused(tree, ENTRY_FILE, "a/b/c", NULL,
		"entry 9 'a/b/c' is beyond the limit of 50 entries");
}

static void links_are_limited(void **state)
{
	struct tree *tree =
		tree_new(&(struct tree_options){ .max_entries = 100000 });
	char path[32];

	(void)add(tree, ENTRY_FILE, "x", NULL);
	for (int i = 1; i < 65000; i++) {
		(void)snprintf(path, sizeof(path), "l%d", i);
		(void)add(tree, ENTRY_HARDLINK, path, "x");
	}
	refused(tree, ENTRY_HARDLINK, "more", "x",
		"entry 9 'more' has more than 65000 hard links");
	tree_free(tree);
}

static void extents_join_and_split(void **state)
{
	struct tree_map map = { 0 };
	struct tree_extent *e;
	uint32_t n;

	tree_map_add(&map, 0, 100, 10);
	tree_map_add(&map, 10, 110, 5); /* continues */
	e = tree_map_extents(&map, &n);
	assert_int_equal(n, 1);
	assert_int_equal(e->n_blocks, 15);
	tree_map_add(&map, 20, 115, 1);	    /* after a hole */
	tree_map_add(&map, 21, 500, 40000); /* more than one can hold */
	e = tree_map_extents(&map, &n);
	assert_int_equal(n, 4);
	assert_int_equal(e[2].n_blocks, TREE_EXTENT_MAX);
	assert_int_equal(e[3].logical, 21 + TREE_EXTENT_MAX);
	assert_int_equal(e[3].block, 500 + TREE_EXTENT_MAX);
	assert_int_equal(tree_map_blocks(&map), 15 + 1 + 40000);
	free(map.many);
}

#define test_in_tree(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_tree(parents_are_made),
		test_in_tree(paths_that_lead_out_are_refused),
		test_in_tree(nothing_goes_through_a_symlink),
		test_in_tree(hard_links_need_a_file),
		test_in_tree(later_entries_replace),
		test_in_tree(the_root_is_a_directory),
		test_in_tree(names_have_255_bytes),
		test_in_tree(entries_are_limited),
		cmocka_unit_test(links_are_limited),
		cmocka_unit_test(extents_join_and_split),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
