#include "cli/container.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "cli/object.h"
#include "tests/lib/made_container.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_found(struct store *store, const char *ref, char letter)
{
	img_auto(container_row_release) struct container_row row = { 0 };

	made_container_find(store, ref, &row);
	assert_int_equal(row.id.hex[ID_LEN - 1], letter);
}

static void each_has_ids_of_its_own(void **state)
{
	img_auto(store_close) struct store *store = temp_store_open(*state);
	img_auto(container_row_release) struct container_row got = { 0 };
	struct container_row a = made_container(store, 'a', "one");
	struct container_row b = made_container(store, 'b', "two");
	struct container_row host = made_container_row(store, 'c', "host");
	struct img_err err = { 0 };

	assert_true(userns_is_own(&a.users) && userns_is_own(&b.users));
	assert_int_equal(b.users.uid_base, a.users.uid_base + USERNS_IDS);
	assert_int_equal(b.users.gid_base, a.users.gid_base + USERNS_IDS);
	made_container_find(store, "two", &got);
	assert_memory_equal(&got.users, &b.users, sizeof(got.users));
	host.config = (char *)(uintptr_t) "{\"HostConfig\":"
					  "{\"UsernsMode\":\"host\"}}";
	assert_int_equal(container_insert(store, &host, &err), 0);
	assert_false(userns_is_own(&host.users));
	/* The lowest that is free. */
	assert_int_equal(container_delete(store, &a, &err), 0);
	a = made_container(store, 'd', "next");
	assert_int_equal(a.users.uid_base, b.users.uid_base - USERNS_IDS);
}

static void rows_come_back(void **state)
{
	img_auto(store_close) struct store *store = temp_store_open(*state);
	img_auto(container_row_release) struct container_row got = { 0 };
	struct container_row row = made_container(store, 'a', "web");
	const char *text;
	struct img_err err = { 0 };

	made_container_find(store, "web", &got);
	assert_string_equal(got.id.hex, row.id.hex);
	assert_string_equal(got.name, "web");
	assert_string_equal(got.image.hex, row.image.hex);
	assert_string_equal(got.image_name, "debian");
	assert_string_equal(got.config, "{}");
	assert_int_equal(got.volume.id, row.volume.id);
	assert_int_equal(got.volume.size_bytes, row.volume.size_bytes);
	assert_int_equal(got.created_ns, 'a');
	assert_int_equal(got.started_ns + got.finished_ns, 0);
	assert_int_equal(container_state(store, &got, &text, &err), 0);
	assert_string_equal(text, "created");
}

static void containers_are_found(void **state)
{
	img_auto(store_close) struct store *store = temp_store_open(*state);

	(void)made_container(store, 'a', "web");
	(void)made_container(store, 'b', "db");
	(void)made_container(store, 'c', "aaaa"); /* a name goes before an id */
	assert_found(store, "web", 'a');
	assert_found(store, "db", 'b');
	assert_found(store, "a", 'a');
	assert_found(store, "bbbbbbbbbbbb", 'b');
	assert_found(store, "aaaa", 'c');
	assert_no_container(store, "we", IMG_E_NOT_FOUND,
			    "there is no container 'we'");
	assert_no_container(store, "", IMG_E_NOT_FOUND,
			    "there is no container ''");
	assert_no_container(store, "ab", IMG_E_NOT_FOUND,
			    "there is no container 'ab'");
}

static void a_prefix_has_to_be_unique(void **state)
{
	img_auto(store_close) struct store *store = temp_store_open(*state);
	img_auto(object_release) struct object object = { 0 };
	struct container_row row;
	struct img_err err = { 0 };

	(void)made_container(store, 'a', "one");
	row = made_container_row(store, 'a', "two");
	row.id.hex[ID_LEN - 1] = 'b';
	assert_int_equal(container_insert(store, &row, &err), 0);
	assert_no_container(
		store, "aaa", IMG_E_INPUT,
		"several containers have an id that begins with aaa");
	assert_found(store, row.id.hex, 'b');
	/* That is said, too, where it may be an image that is meant. */
	assert_int_equal(object_find(store, "aaa", &object, &err),
			 -IMG_E_INPUT);
	assert_string_equal(err.msg, "several containers have an id that "
				     "begins with aaa");
	err = (struct img_err){ 0 };
	assert_int_equal(object_find(store, "aba", &object, &err),
			 -IMG_E_NOT_FOUND);
	assert_string_equal(err.msg, "there is no container or image 'aba'");
}

static void a_name_is_given_once(void **state)
{
	img_auto(store_close) struct store *store = temp_store_open(*state);
	struct container_row row;
	struct img_err err = { 0 };

	(void)made_container(store, 'a', "web");
	row = made_container_row(store, 'b', "web");
	assert_int_equal(container_insert(store, &row, &err), -IMG_E_EXISTS);
	err = (struct img_err){ 0 };
	assert_int_equal(
		container_delete(store, &(struct container_row){ .id = row.id },
				 &err),
		0);
}

static int add_name(void *self, const struct container_row *row,
		    struct img_err *err)
{
	str_addf(self, "%s ", row->name);
	return strcmp(row->name, "stop") == 0 ? 5 : 0;
}

static void the_newest_comes_first(void **state)
{
	img_auto(store_close) struct store *store = temp_store_open(*state);
	img_auto(str_release) struct str names = { 0 };
	struct img_err err = { 0 };

	(void)made_container(store, 'b', "second");
	(void)made_container(store, 'a', "first");
	(void)made_container(store, 'd', "last");
	(void)made_container(store, 'c', "third");
	assert_int_equal(container_each(store, add_name, &names, &err), 0);
	assert_string_equal(names.s, "last third second first ");
	str_release(&names);
	(void)made_container(store, 'f', "stop");
	assert_int_equal(container_each(store, add_name, &names, &err), 5);
	assert_string_equal(names.s, "stop ");
}

/* A rollback came between the look at a container and its start. */
static void the_volume_may_have_been_exchanged(void **state)
{
	img_auto(store_close) struct store *store = temp_store_open(*state);
	struct container_row row = made_container(store, 'a', "web");
	struct container_row seen = row;
	struct volume other;
	struct img_err err = { 0 };

	assert_int_equal(volume_find(store, temp_store_add_volume(store),
				     &other, &err),
			 0);
	assert_int_equal(container_set_volume(store, &row, &other, &err), 0);
	assert_int_equal(container_reread_volume(store, &seen, &err), 0);
	assert_int_equal(seen.volume.id, other.id);
	assert_int_equal(seen.volume.size_bytes, other.size_bytes);
	/* It has what it had no more. */
	assert_int_equal(container_set_volume(store, &row, &other, &err),
			 -IMG_E_NOT_FOUND);
	err = (struct img_err){ 0 };
	assert_int_equal(container_delete(store, &seen, &err), 0);
	assert_int_equal(container_reread_volume(store, &seen, &err),
			 -IMG_E_NOT_FOUND);
	assert_string_equal(err.msg, "the container web was removed meanwhile");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_store(each_has_ids_of_its_own),
		test_in_store(rows_come_back),
		test_in_store(containers_are_found),
		test_in_store(a_prefix_has_to_be_unique),
		test_in_store(a_name_is_given_once),
		test_in_store(the_newest_comes_first),
		test_in_store(the_volume_may_have_been_exchanged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
