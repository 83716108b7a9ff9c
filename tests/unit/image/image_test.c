#include "image/image.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "image/examine.h"
#include "image/import.h"
#include "storage/finding.h"
#include "storage/ledger.h"
#include "tests/lib/temp_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct image_name name_of(const char *text)
{
	struct image_name name;
	struct img_err err = { 0 };

	assert_int_equal(image_name_parse(text, &name, &err), 0);
	return name;
}

static void find(struct store *store, const char *ref, struct image *ret)
{
	struct img_err err = { 0 };

	if (image_find(store, ref, ret, &err) < 0)
		fail_msg("%s", err.msg);
}

static void assert_found(struct store *store, const char *ref, struct id id)
{
	img_auto(image_release) struct image image = { 0 };

	find(store, ref, &image);
	assert_string_equal(image.id.hex, id.hex);
}

static void assert_not_found(struct store *store, const char *ref,
			     enum img_code code, const char *message)
{
	img_auto(image_release) struct image image = { 0 };
	struct img_err err = { 0 };

	assert_int_equal(image_find(store, ref, &image, &err), -(int)code);
	if (!strstr(err.msg, message))
		fail_msg("%s", err.msg);
}

static void images_are_found(void **state)
{
	img_auto(store_close) struct store *store = temp_store_open(*state);
	struct id a = temp_store_add_image(store, "debian");
	struct id b = temp_store_add_image(store, "debian:12");
	char prefix[ID_LEN + 1];

	assert_found(store, "debian", a);
	assert_found(store, "debian:latest", a);
	assert_found(store, "debian:12", b);
	for (size_t len = 8; len <= ID_LEN; len += 7) {
		(void)snprintf(prefix, sizeof(prefix), "%.*s", (int)len, a.hex);
		assert_found(store, prefix, a);
	}
	assert_not_found(store, "debian:13", IMG_E_NOT_FOUND,
			 "there is no image 'debian:13'");
	assert_not_found(store, "No-Name", IMG_E_INPUT,
			 "'No-Name' is not an image name");
	assert_not_found(store, "ffffffffffffffff0", IMG_E_NOT_FOUND,
			 "there is no image");
}

static void set_ids(struct store *store, const char *sql)
{
	struct img_err err = { 0 };

	if (db_run(store_db(store), &err, sql, "") < 0)
		fail_msg("%s", err.msg);
}

static void a_prefix_has_to_be_unique(void **state)
{
	img_auto(store_close) struct store *store = temp_store_open(*state);
	struct id named;

	(void)temp_store_add_image(store, "x");
	(void)temp_store_add_image(store, "y");
	set_ids(store, "DELETE FROM names");
	set_ids(store, "DELETE FROM history");
	set_ids(store, "UPDATE images SET id = 'abcd' || substr(id, 5)");
	assert_not_found(store, "abcd", IMG_E_INPUT,
			 "several images have an id that begins with abcd");
	assert_not_found(store, "abce", IMG_E_NOT_FOUND, "there is no image");
	/* A name goes before an id. */
	named = temp_store_add_image(store, "abcd");
	assert_found(store, "abcd", named);
}

static int add_text(void *self, const struct image_name *name,
		    struct img_err *err)
{
	str_addf(self, "%s:%s ", name->name, name->tag);
	return 0;
}

static void assert_names(struct store *store, struct id id,
			 const char *expected)
{
	img_auto(str_release) struct str text = { 0 };
	struct img_err err = { 0 };

	str_add(&text, "");
	assert_int_equal(image_each_name(store, id.hex, add_text, &text, &err),
			 0);
	assert_string_equal(text.s, expected);
}

static void names_come_and_go(void **state)
{
	img_auto(store_close) struct store *store = temp_store_open(*state);
	struct id a = temp_store_add_image(store, "a");
	struct id b = temp_store_add_image(store, "b");
	img_auto(image_release) struct image image = { 0 };
	struct image_name name = name_of("c:1"), moved = name_of("b");
	struct img_err err = { 0 };

	find(store, "a", &image);
	assert_int_equal(image_tag(store, &image, &name, &err), 0);
	assert_int_equal(image_tag(store, &image, &name, &err), 0); /* again */
	assert_names(store, a, "a:latest c:1 ");
	assert_int_equal(image_tag(store, &image, &moved, &err), 0);
	assert_names(store, a, "a:latest b:latest c:1 ");
	assert_names(store, b, "");
	assert_int_equal(image_untag(store, &image, &moved, &err), 0);
	assert_names(store, a, "a:latest c:1 ");
	assert_int_equal(image_untag(store, &image, &moved, &err),
			 -IMG_E_NOT_FOUND);
	assert_string_equal(err.msg, "there is no image 'b:latest'");
	temp_store_check(*state, store, NULL, NULL);
}

static void a_name_that_is_taken_moves(void **state)
{
	img_auto(store_close) struct store *store = temp_store_open(*state);
	struct id old = temp_store_add_image(store, "a");
	struct id new = temp_store_add_image(store, "a");

	assert_found(store, "a", new);
	assert_names(store, old, "");
	assert_found(store, old.hex, old);
	temp_store_check(*state, store, NULL, NULL);
}

#define AT_ONCE 8

static void name_it(struct temp_store *t, int n)
{
	img_auto(store_close) struct store *store = temp_store_open(t);
	img_auto(image_release) struct image image = { 0 };
	struct image_name name = { .tag = "latest" };
	struct img_err err = { 0 };

	(void)snprintf(name.name, sizeof(name.name), "name%d", n);
	if (image_find(store, "first", &image, &err) < 0 ||
	    image_tag(store, &image, &name, &err) < 0 ||
	    (n % 2 && image_untag(store, &image, &name, &err) < 0))
		_exit(1);
}

/* Each record is of all that was there before: none lacks another's name. */
static void names_of_many_at_once_are_all_recorded(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	img_auto(findings_release) struct findings found = { 0 };
	struct img_err err = { 0 };
	pid_t child[AT_ONCE];
	int status;

	(void)temp_store_add_image(store, "first");
	for (int i = 0; i < AT_ONCE; i++) {
		child[i] = fork();
		assert_true(child[i] >= 0);
		if (child[i] > 0)
			continue;
		name_it(t, i);
		_exit(0);
	}
	for (int i = 0; i < AT_ONCE; i++) {
		assert_int_equal(waitpid(child[i], &status, 0), child[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(temp_store_count(store, "SELECT count(*) FROM names"),
			 1 + AT_ONCE / 2);
	assert_int_equal(image_examine(store, &found, &err), 0);
	assert_int_equal(found.n, 0);
}

/* Of those who have seen too little, nobody removes what another has named. */
static void what_was_named_meanwhile_stays(void **state)
{
	img_auto(store_close) struct store *store = temp_store_open(*state);
	img_auto(image_release) struct image image = { 0 };
	struct image_name first = name_of("a"), other = name_of("b");
	struct img_err named = { 0 }, last = { 0 }, err = { 0 };

	(void)temp_store_add_image(store, "a");
	find(store, "a", &image);
	assert_int_equal(image_tag(store, &image, &other, &err), 0);
	assert_int_equal(image_remove(store, &image, 1, NULL, &named),
			 -IMG_E_BUSY);
	assert_string_equal(named.msg, "its names were changed meanwhile");
	assert_names(store, image.id, "a:latest b:latest ");
	assert_int_equal(image_untag(store, &image, &first, &err), 0);
	assert_int_equal(image_untag(store, &image, &other, &last),
			 -IMG_E_BUSY);
	assert_string_equal(last.msg, "its other names were removed meanwhile");
	assert_names(store, image.id, "b:latest ");
	assert_int_equal(image_remove(store, &image, 1, NULL, &err), 0);
	temp_store_check(*state, store, NULL, NULL);
}

static int keep_it(struct store *store, const struct image *image,
		   struct img_err *err)
{
	assert_int_equal(image_check(store, image, err), 0);
	return img_err_set(err, IMG_E_BUSY, 0, "somebody needs it");
}

static void what_somebody_needs_stays(void **state)
{
	img_auto(store_close) struct store *store = temp_store_open(*state);
	img_auto(image_release) struct image image = { 0 };
	struct img_err err = { 0 };

	(void)temp_store_add_image(store, "a");
	find(store, "a", &image);
	assert_int_equal(image_remove(store, &image, 1, keep_it, &err),
			 -IMG_E_BUSY);
	assert_string_equal(err.msg, "somebody needs it");
	assert_names(store, image.id, "a:latest ");
	temp_store_check(*state, store, NULL, NULL);
}

static void an_image_goes_once(void **state)
{
	img_auto(store_close) struct store *store = temp_store_open(*state);
	img_auto(image_release) struct image image = { 0 };
	struct img_err err = { 0 };

	(void)temp_store_add_image(store, "a");
	find(store, "a", &image);
	assert_int_equal(image_remove(store, &image, 1, NULL, &err), 0);
	assert_int_equal(image_remove(store, &image, 1, NULL, &err),
			 -IMG_E_NOT_FOUND);
	assert_non_null(strstr(err.msg, "any more"));
	assert_int_equal(image_check(store, &image, &err), -IMG_E_NOT_FOUND);
	temp_store_check(*state, store, NULL, NULL);
}

/* A child stands alone: its parent may go. */
static void history_is_a_copy(void **state)
{
	img_auto(store_close) struct store *store = temp_store_open(*state);
	img_auto(image_release) struct image parent = { 0 };
	img_auto(volume_pending_release) struct volume_pending new = { 0 };
	struct image_name name = name_of("child");
	struct img_err err = { 0 };
	struct id id;

	(void)temp_store_add_image(store, "a");
	find(store, "a", &parent);
	assert_int_equal(volume_snapshot(store, &parent.volume, &new, &err), 0);
	assert_int_equal(image_add(store,
				   &(struct image_new){ .volume = &new,
							.parent = &parent,
							.config = "{}",
							.name = &name,
							.created_by = "commit",
							.comment = "why" },
				   &id, &err),
			 0);
	assert_null(new.store); /* taken over */
	assert_int_equal(image_remove(store, &parent, 1, NULL, &err), 0);
	assert_int_equal(
		temp_store_count(store, "SELECT count(*) FROM history"), 2);
	assert_found(store, "child", id);
	temp_store_check(*state, store, NULL, NULL);
}

static int keep_json(void *self, const struct ledger_record *record,
		     struct img_err *err)
{
	char **text = self;

	free(*text);
	*text = mem_strdup(record->json);
	return 0;
}

/* The ledger's record says all that the catalog knows. */
static void a_record_is_whole(void **state)
{
	img_auto(store_close) struct store *store = temp_store_open(*state);
	img_auto(img_mem_release) char *text = NULL;
	img_auto(img_mem_release) char *expected = NULL;
	img_auto(image_release) struct image image = { 0 };
	struct image_name name = name_of("more:1");
	struct img_err err = { 0 };

	(void)temp_store_add_image(store, "a");
	find(store, "a", &image);
	assert_int_equal(image_tag(store, &image, &name, &err), 0);
	assert_int_equal(ledger_each(store, keep_json, &text, &err), 0);
	expected = mem_printf(
		"{\"config\":{\"Cmd\":[\"sh\"]},\"created_ns\":%lld,"
		"\"history\":[{\"comment\":\"\",\"created_by\":\"test\","
		"\"created_ns\":%lld,\"layer\":\"%s\"}],\"id\":\"%s\","
		"\"names\":[\"a:latest\",\"more:1\"],\"parent\":\"\"}",
		(long long)image.created_ns, (long long)image.created_ns,
		image.id.hex, image.id.hex);
	assert_string_equal(text, expected);
}

static int check_step(void *self, const struct image_step *step,
		      struct img_err *err)
{
	assert_string_equal(step->created_by, "import caf?.tar");
	assert_string_equal(step->comment, "\xc3\xa9??");
	return 7;
}

/* A file's name may be any bytes. */
static void what_json_cannot_hold_is_replaced(void **state)
{
	img_auto(store_close) struct store *store = temp_store_open(*state);
	img_auto(volume_pending_release) struct volume_pending new = { 0 };
	img_auto(img_mem_release) char *text = NULL;
	struct img_err err = { 0 };
	struct id id;

	assert_int_equal(volume_create(store, 1 << 20, &new, &err), 0);
	assert_int_equal(image_add(store,
				   &(struct image_new){
					   .volume = &new,
					   .config = "{}",
					   .created_by = "import caf\xe9.tar",
					   .comment = "\xc3\xa9\xff\xe2" },
				   &id, &err),
			 0);
	assert_int_equal(image_each_step(store, id.hex, check_step, NULL, &err),
			 7);
	assert_int_equal(ledger_each(store, keep_json, &text, &err), 0);
	assert_non_null(strstr(text, "\"import caf?.tar\""));
}

static void a_damaged_configuration_is_refused(void **state)
{
	img_auto(store_close) struct store *store = temp_store_open(*state);
	img_auto(volume_pending_release) struct volume_pending new = { 0 };
	struct img_err err = { 0 };
	struct id id;

	assert_int_equal(volume_create(store, 1 << 20, &new, &err), 0);
	assert_int_equal(image_add(store,
				   &(struct image_new){ .volume = &new,
							.config = "[]",
							.created_by = "",
							.comment = "" },
				   &id, &err),
			 -IMG_E_CORRUPT);
	volume_pending_release(&new);
	temp_store_check(*state, store, NULL, NULL);
}

static int import(struct store *store, uint64_t size_bytes, struct img_err *err)
{
	struct id id;

	return import_image(store,
			    &(struct import_options){ .source = "/dev/null",
						      .config = "{}",
						      .size_bytes =
							      size_bytes },
			    &id, err);
}

static void an_import_has_sizes(void **state)
{
	static const uint64_t bad[] = { 1, (16 << 20) - 1, UINT64_C(1) << 44,
					UINT64_MAX };
	img_auto(store_close) struct store *store = temp_store_open(*state);

	for (size_t i = 0; i < IMG_COUNT(bad); i++) {
		struct img_err err = { 0 };

		assert_int_equal(import(store, bad[i], &err), -IMG_E_INPUT);
		assert_string_equal(err.msg, "the volume's size must be from "
					     "16M to 16T");
	}
	temp_store_check(*state, store, NULL, NULL);
}

/* Here /dev/null is no archive, or the part that could tell is missing. */
static void an_import_that_fails_leaves_nothing(void **state)
{
	img_auto(store_close) struct store *store = temp_store_open(*state);
	struct img_err err = { 0 };

	assert_true(import(store, 0, &err) < 0);
	assert_true(err.msg[0]);
	temp_store_check(*state, store, NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_store(images_are_found),
		test_in_store(a_prefix_has_to_be_unique),
		test_in_store(names_come_and_go),
		test_in_store(a_name_that_is_taken_moves),
		test_in_store(names_of_many_at_once_are_all_recorded),
		test_in_store(what_was_named_meanwhile_stays),
		test_in_store(what_somebody_needs_stays),
		test_in_store(an_image_goes_once),
		test_in_store(history_is_a_copy),
		test_in_store(a_record_is_whole),
		test_in_store(what_json_cannot_hold_is_replaced),
		test_in_store(a_damaged_configuration_is_refused),
		test_in_store(an_import_has_sizes),
		test_in_store(an_import_that_fails_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
