#include "image/image.h"

#include "base/cleanup.h"
#include "tests/lib/crash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/*
 * Images come, get names and go, and at every step of that something fails or
 * the process dies.
 */

static void prepare_parent(struct crash_case *c, struct store *store)
{
	c->id[0] = temp_store_add_image(store, "base");
}

static int image_by_ref(struct store *store, const char *ref, struct image *ret)
{
	struct img_err err = { 0 };
	int r = image_find(store, ref, ret, &err);

	if (r < 0 && r != -IMG_E_NOT_FOUND)
		fail_msg("%s", err.msg);
	return r;
}

static bool has(struct store *store, const char *ref)
{
	img_auto(image_release) struct image image = { 0 };

	return image_by_ref(store, ref, &image) == 0;
}

static struct image_name name_of(const char *text)
{
	struct image_name name;
	struct img_err err = { 0 };

	assert_int_equal(image_name_parse(text, &name, &err), 0);
	return name;
}

/* As `img commit` does it. */
static int run_add(struct crash_case *c, struct store *store,
		   struct img_err *err)
{
	img_auto(volume_pending_release) struct volume_pending new = { 0 };
	img_auto(image_release) struct image parent = { 0 };
	struct image_name name = name_of("child:1");
	struct id id;
	int r = image_find(store, "base", &parent, err);

	if (r == 0)
		r = volume_snapshot(store, &parent.volume, &new, err);
	if (r < 0)
		return r;
	return image_add(store,
			 &(struct image_new){ .volume = &new,
					      .parent = &parent,
					      .config = parent.config,
					      .name = &name,
					      .created_by = "commit",
					      .comment = "second" },
			 &id, err);
}

static int count_step(void *self, const struct image_step *step,
		      struct img_err *err)
{
	int *n = self;

	if (*n == 0)
		assert_string_equal(step->comment, "second");
	++*n;
	return 0;
}

static void check_add(struct crash_case *c, struct store *store,
		      enum crash_end end)
{
	img_auto(image_release) struct image child = { 0 };
	struct img_err err = { 0 };
	int steps = 0;

	temp_store_check(c->t, store, NULL, NULL);
	assert_true(has(store, "base"));
	if (end != CRASH_DIED)
		assert_int_equal(has(store, "child:1"), end == CRASH_DONE);
	if (!has(store, "child:1"))
		return;
	assert_int_equal(image_by_ref(store, "child:1", &child), 0);
	assert_string_equal(child.parent.hex, c->id[0].hex);
	assert_int_equal(image_each_step(store, child.id.hex, count_step,
					 &steps, &err),
			 0);
	assert_int_equal(steps, 2);
}

static void adding(void **state)
{
	const struct crash_test test = { prepare_parent, run_add, check_add,
					 NULL };

	crash_every_way(&test);
}

/* The name belongs to another image so far. */
static void prepare_two(struct crash_case *c, struct store *store)
{
	c->id[0] = temp_store_add_image(store, "base");
	c->id[1] = temp_store_add_image(store, "other");
}

static int run_tag(struct crash_case *c, struct store *store,
		   struct img_err *err)
{
	img_auto(image_release) struct image image = { 0 };
	struct image_name name = name_of("other");
	int r = image_find(store, c->id[0].hex, &image, err);

	return r < 0 ? r : image_tag(store, &image, &name, err);
}

static void check_tag(struct crash_case *c, struct store *store,
		      enum crash_end end)
{
	img_auto(image_release) struct image image = { 0 };
	bool moved;

	temp_store_check(c->t, store, NULL, NULL);
	assert_int_equal(image_by_ref(store, "other", &image), 0);
	moved = strcmp(image.id.hex, c->id[0].hex) == 0;
	if (!moved)
		assert_string_equal(image.id.hex, c->id[1].hex);
	/* When only the last sync fails, it may have happened or not. */
	if (end == CRASH_DONE)
		assert_true(moved);
	assert_true(has(store, "base"));
	assert_true(has(store, c->id[1].hex));
}

static void tagging(void **state)
{
	const struct crash_test test = { prepare_two, run_tag, check_tag,
					 NULL };

	crash_every_way(&test);
}

static void prepare_two_names(struct crash_case *c, struct store *store)
{
	img_auto(image_release) struct image image = { 0 };
	struct image_name other = name_of("other");
	struct img_err err = { 0 };

	prepare_parent(c, store);
	assert_int_equal(image_by_ref(store, "base", &image), 0);
	assert_int_equal(image_tag(store, &image, &other, &err), 0);
}

static int run_untag(struct crash_case *c, struct store *store,
		     struct img_err *err)
{
	img_auto(image_release) struct image image = { 0 };
	struct image_name name = name_of("base");
	int r = image_find(store, c->id[0].hex, &image, err);

	return r < 0 ? r : image_untag(store, &image, &name, err);
}

static void check_untag(struct crash_case *c, struct store *store,
			enum crash_end end)
{
	temp_store_check(c->t, store, NULL, NULL);
	assert_true(has(store, "other"));
	if (end == CRASH_DONE)
		assert_false(has(store, "base"));
}

static void untagging(void **state)
{
	const struct crash_test test = { prepare_two_names, run_untag,
					 check_untag, NULL };

	crash_every_way(&test);
}

static int run_remove(struct crash_case *c, struct store *store,
		      struct img_err *err)
{
	img_auto(image_release) struct image image = { 0 };
	int r = image_find(store, c->id[0].hex, &image, err);

	return r < 0 ? r : image_remove(store, &image, 1, NULL, err);
}

/* Once the catalog has forgotten it, a failure does not bring it back. */
static void check_remove(struct crash_case *c, struct store *store,
			 enum crash_end end)
{
	temp_store_check(c->t, store, NULL, NULL);
	assert_int_equal(has(store, "base"), has(store, c->id[0].hex));
	assert_true(has(store, "other"));
	if (end == CRASH_DONE)
		assert_false(has(store, "base"));
}

static void removing(void **state)
{
	const struct crash_test test = { prepare_two, run_remove, check_remove,
					 NULL };

	crash_every_way(&test);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_of_crash(adding),
		test_of_crash(tagging),
		test_of_crash(untagging),
		test_of_crash(removing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
