#include "image/image_merge.h"

#include "base/cleanup.h"
#include "tests/lib/crash_volume.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/*
 * A container is merged into its image on the driver thin, and at every step of
 * that something fails or the process dies: the name means the old content or
 * the new, never something between.
 */

#define MARK "merged"

static void find(struct store *store, const char *ref, struct image *ret)
{
	struct img_err err = { 0 };

	if (image_find(store, ref, ret, &err) < 0)
		fail_msg("%s", err.msg);
}

/* An image of two names, and the volume of a container of it. */
static void prepare(struct crash_case *c, struct store *store)
{
	img_auto(volume_pending_release) struct volume_pending new = { 0 };
	img_auto(image_release) struct image image = { 0 };
	struct image_name name;
	struct img_err err = { 0 };

	c->id[0] = temp_store_add_image(store, "base");
	find(store, "base", &image);
	assert_int_equal(image_name_parse("other:1", &name, &err), 0);
	assert_int_equal(image_tag(store, &image, &name, &err), 0);
	assert_int_equal(volume_snapshot(store, &image.volume, &new, &err), 0);
	assert_int_equal(db_begin(store_db(store), false, &err), 0);
	assert_int_equal(volume_settle(&new, &err), 0);
	assert_int_equal(db_commit(store_db(store), &err), 0);
	c->volume[0] = new.volume.id;
	crash_volume_mark(store, &new.volume, MARK);
	assert_int_equal(volume_deactivate(store, &new.volume, &err), 0);
	volume_keep(&new);
}

static int no_rows(void *self, const struct id *id, struct img_err *err)
{
	return 0;
}

/* As `img merge` does it. */
static int merge(struct crash_case *c, struct store *store, bool keep,
		 struct img_err *err)
{
	img_auto(volume_pending_release) struct volume_pending copy = { 0 };
	img_auto(image_release) struct image old = { 0 };
	struct volume volume;
	struct id id;
	int r = image_find(store, "base", &old, err);

	if (r == 0)
		r = volume_find(store, c->volume[0], &volume, err);
	if (r == 0)
		r = volume_copy(store, &volume, &copy, err);
	if (r < 0)
		return r;
	return image_merge(store,
			   &(struct image_merge){ .image = &old,
						  .volume = &copy,
						  .config = old.config,
						  .created_by = "merge",
						  .comment = "",
						  .keep = keep,
						  .rows = no_rows },
			   &id, err);
}

static int run_merge(struct crash_case *c, struct store *store,
		     struct img_err *err)
{
	return merge(c, store, false, err);
}

static int run_merge_kept(struct crash_case *c, struct store *store,
			  struct img_err *err)
{
	return merge(c, store, true, err);
}

static int count_step(void *self, const struct image_step *step,
		      struct img_err *err)
{
	++*(int *)self;
	return 0;
}

/* What the names mean: both the same, whole, with its history. */
static bool check_names(struct crash_case *c, struct store *store)
{
	img_auto(image_release) struct image base = { 0 };
	img_auto(image_release) struct image other = { 0 };
	struct img_err err = { 0 };
	bool is_merged;
	int steps = 0;

	find(store, "base", &base);
	find(store, "other:1", &other);
	assert_string_equal(base.id.hex, other.id.hex);
	is_merged = strcmp(base.id.hex, c->id[0].hex) != 0;
	assert_int_equal(crash_volume_has_mark(c, base.volume.id, MARK),
			 is_merged);
	assert_int_equal(image_each_step(store, base.id.hex, count_step, &steps,
					 &err),
			 0);
	assert_int_equal(steps, is_merged ? 2 : 1);
	assert_true(crash_volume_has_mark(c, c->volume[0], MARK));
	return is_merged;
}

static bool check(struct crash_case *c, struct store *store, enum crash_end end,
		  bool *ret_has_old)
{
	const uint32_t loose[] = { c->volume[0], 0 };
	img_auto(image_release) struct image old = { 0 };
	struct img_err err = { 0 };
	bool is_merged;
	int r;

	temp_store_check(c->t, store, loose, NULL);
	is_merged = check_names(c, store);
	if (end == CRASH_DONE)
		assert_true(is_merged);
	r = image_get(store, c->id[0].hex, &old, &err);
	assert_true(r >= 0);
	*ret_has_old = r > 0;
	if (*ret_has_old)
		assert_false(crash_volume_has_mark(c, old.volume.id, MARK));
	return is_merged;
}

/* Where only the old image's removal failed, it is left without a name. */
static void check_merge(struct crash_case *c, struct store *store,
			enum crash_end end)
{
	bool has_old, is_merged = check(c, store, end, &has_old);

	if (!is_merged)
		assert_true(has_old);
	if (end == CRASH_DONE)
		assert_false(has_old);
}

static void check_merge_kept(struct crash_case *c, struct store *store,
			     enum crash_end end)
{
	bool has_old;

	(void)check(c, store, end, &has_old);
	assert_true(has_old);
}

static void merging(void **state)
{
	const struct crash_test test = { prepare, run_merge, check_merge,
					 NULL };

	crash_every_way(&test);
}

static void merging_while_others_need_the_old_image(void **state)
{
	const struct crash_test test = { prepare, run_merge_kept,
					 check_merge_kept, NULL };

	crash_every_way(&test);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_of_crash(merging),
		test_of_crash(merging_while_others_need_the_old_image),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
