#include "cli/volumes_from.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "cli/container_volumes.h"
#include "image/config.h"
#include "tests/lib/crash_volume.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define LIST(...)                                                              \
	((struct text_list){                                                   \
		.text = (const char *[]){ __VA_ARGS__ },                       \
		.n = sizeof((const char *[]){ __VA_ARGS__ }) /                 \
		     sizeof(const char *),                                     \
	})

/* What containers are made of here: a volume that one was given a name for,
 * one that has none, a directory, and what stays each one's own. */
#define HOST                                                                   \
	"{\"HostConfig\":{\"Binds\":[\"data:/data\",\"/srv:/srv:ro,rslave\"]," \
	"\"Tmpfs\":{\"/mem\":\"\"},\"Mounts\":[{\"Type\":\"volume\","          \
	"\"Source\":\"nobodys\",\"Target\":\"/anon\",\"ReadOnly\":false,"      \
	"\"Anonymous\":true,\"VolumeOptions\":{}},{\"Type\":\"tmpfs\","        \
	"\"Target\":\"/mem2\",\"ReadOnly\":false,\"TmpfsOptions\":{}}]}}"

static void add_volume(struct store *store, const char *name, bool anonymous)
{
	img_auto(volume_pending_release) struct volume_pending new = { 0 };
	img_auto(named_volume_release) struct named_volume named = {
		.anonymous = anonymous,
		.config = mem_strdup("{}"),
	};
	struct img_err err = { 0 };

	(void)snprintf(named.name, sizeof(named.name), "%s", name);
	if (volume_create(store, UINT64_C(16) << 20, &new, &err) < 0 ||
	    named_volume_add(store, &named, &new, &err) < 0)
		fail_msg("%s", err.msg);
}

static void add_container(struct store *store, const char *name,
			  const char *config)
{
	struct container_row row = {
		.image_name = (char *)(uintptr_t) "base",
		.config = (char *)(uintptr_t)config,
		.created_ns = 1,
	};
	struct img_err err = { 0 };

	(void)snprintf(row.name, sizeof(row.name), "%s", name);
	memset(row.id.hex, name[0], ID_LEN);
	memset(row.image.hex, 'e', ID_LEN);
	if (volume_find(store, temp_store_add_volume(store), &row.volume,
			&err) < 0 ||
	    container_insert(store, &row, &err) < 0)
		fail_msg("%s", err.msg);
}

/* HostConfig of a new container. */
static json_t *host_new(const struct text_list *from, const char *bind)
{
	json_t *host = json_pack("{s[] s[] s{}}", "Binds", "Mounts", "Tmpfs");
	struct img_err err = { 0 };

	if (bind)
		(void)json_array_append_new(json_object_get(host, "Binds"),
					    json_string(bind));
	if (volumes_from_put(host, from, &err) < 0)
		fail_msg("%s", err.msg);
	return host;
}

static void assert_refused(const char *text, const char *message)
{
	json_t *host = json_object();
	struct img_err err = { 0 };

	assert_int_equal(volumes_from_put(host, &LIST("fine", text), &err),
			 -IMG_E_INPUT);
	assert_string_equal(err.msg, message);
	json_decref(host);
}

static void what_is_said_is_checked_and_kept(void **state)
{
	json_t *host = json_object(), *kept;
	struct img_err err = { 0 };

	assert_refused("", "invalid --volumes-from '': it names no container");
	assert_refused(":ro", "invalid --volumes-from ':ro': it names no "
			      "container");
	assert_refused("web:ro,nocopy",
		       "invalid --volumes-from 'web:ro,nocopy': its mode is "
		       "ro or rw, not 'nocopy'");
	assert_refused("web:r", "invalid --volumes-from 'web:r': its mode is "
				"ro or rw, not 'r'");
	assert_refused("web:ro:rw", "invalid --volumes-from 'web:ro:rw': its "
				    "mode is ro or rw, not 'ro:rw'");
	assert_refused("w\xff", "--volumes-from 'w\xff' is not UTF-8");
	assert_int_equal(volumes_from_put(host,
					  &LIST("a", "b:", "c:ro,Z", "d:rw"),
					  &err),
			 0);
	kept = json_object_get(host, "VolumesFrom");
	assert_int_equal(json_array_size(kept), 4);
	assert_string_equal(json_string_value(json_array_get(kept, 2)),
			    "c:ro,Z");
	json_decref(host);
}

/* Mount @i of those that a container got. */
static void assert_mount(const json_t *host, size_t i, const char *type,
			 const char *source, const char *target, bool read_only)
{
	const json_t *one = json_array_get(json_object_get(host, "Mounts"), i);

	assert_true(volumes_from_is(one));
	assert_string_equal(image_config_string(one, "Type"), type);
	assert_string_equal(image_config_string(one, "Source"), source);
	assert_string_equal(image_config_string(one, "Target"), target);
	assert_int_equal(json_is_true(json_object_get(one, "ReadOnly")),
			 read_only);
}

static void each_gets_what_the_other_has(void **state)
{
	img_auto(store_close) struct store *store = temp_store_open(*state);
	json_t *host = host_new(&LIST("one", "bbb:ro"), "/mine:/srv");
	struct img_err err = { 0 };
	const json_t *anon;

	add_container(store, "one", HOST);
	add_container(store, "b",
		      "{\"HostConfig\":{\"Binds\":"
		      "[\"other:/data:nocopy\"]}}");
	if (volumes_from_resolve(store, host, &err) < 0)
		fail_msg("%s", err.msg);
	/* The last one's is at /data, its own at /srv. */
	assert_int_equal(json_array_size(json_object_get(host, "Mounts")), 2);
	assert_mount(host, 0, "volume", "other", "/data", true);
	assert_mount(host, 1, "volume", "nobodys", "/anon", false);
	anon = json_array_get(json_object_get(host, "Mounts"), 1);
	assert_true(json_is_true(json_object_get(anon, "Anonymous")));
	json_decref(host);

	host = host_new(&LIST("one:rw"), NULL);
	assert_int_equal(volumes_from_resolve(store, host, &err), 0);
	assert_int_equal(json_array_size(json_object_get(host, "Mounts")), 3);
	assert_mount(host, 1, "bind", "/srv", "/srv", true);
	assert_string_equal(
		image_config_string(
			json_object_get(
				json_array_get(json_object_get(host, "Mounts"),
					       1),
				"BindOptions"),
			"Propagation"),
		"rslave");
	json_decref(host);
}

static void one_that_is_not_there_is_named(void **state)
{
	img_auto(store_close) struct store *store = temp_store_open(*state);
	json_t *host = host_new(&LIST("one", "nosuch:ro"), NULL);
	struct img_err err = { 0 };

	add_container(store, "one", HOST);
	assert_int_equal(volumes_from_resolve(store, host, &err),
			 -IMG_E_NOT_FOUND);
	assert_string_equal(err.msg, "--volumes-from nosuch:ro: there is no "
				     "container 'nosuch'");
	assert_int_equal(json_array_size(json_object_get(host, "Mounts")), 0);
	json_decref(host);
}

static bool has(struct store *store, const char *table, const char *name)
{
	img_auto(img_mem_release) char *sql = mem_printf(
		"SELECT count(*) FROM %s WHERE name = '%s'", table, name);

	return temp_store_count(store, sql) == 1;
}

/* Two containers that have a volume, which the first brought. */
static void prepare(struct crash_case *c, struct store *store)
{
	json_t *host = host_new(&LIST("one"), NULL);
	json_t *config = json_pack("{so}", "HostConfig", host);
	img_auto(img_mem_release) char *text = NULL;
	struct img_err err = { 0 };

	c->t->options.vanished = container_vanished;
	add_volume(store, "nobodys", true);
	add_container(store, "one", HOST);
	if (volumes_from_resolve(store, host, &err) < 0)
		fail_msg("%s", err.msg);
	text = image_config_text(config);
	add_container(store, "two", text);
	json_decref(config);
	assert_int_equal(temp_store_count(store, "SELECT count(*) FROM"
						 " volume_users"),
			 2);
}

static int remove_one(struct store *store, const char *name,
		      struct img_err *err)
{
	img_auto(container_row_release) struct container_row row = { 0 };
	int r = container_find(store, name, &row, err);

	return r < 0 ? r : container_remove(store, &row, NULL, true, err);
}

static int run_first(struct crash_case *c, struct store *store,
		     struct img_err *err)
{
	return remove_one(store, "one", err);
}

static void check_first(struct crash_case *c, struct store *store,
			enum crash_end end)
{
	crash_volume_check_owned(c, store);
	assert_true(has(store, "containers", "two"));
	assert_true(has(store, "named_volumes", "nobodys"));
	if (end == CRASH_DONE)
		assert_false(has(store, "containers", "one"));
}

static void prepare_last(struct crash_case *c, struct store *store)
{
	struct img_err err = { 0 };

	prepare(c, store);
	if (remove_one(store, "one", &err) < 0)
		fail_msg("%s", err.msg);
}

static int run_last(struct crash_case *c, struct store *store,
		    struct img_err *err)
{
	return remove_one(store, "two", err);
}

static void check_last(struct crash_case *c, struct store *store,
		       enum crash_end end)
{
	crash_volume_check_owned(c, store);
	assert_int_equal(has(store, "containers", "two"),
			 has(store, "named_volumes", "nobodys"));
	if (end == CRASH_DONE)
		assert_false(has(store, "containers", "two"));
}

static void a_volume_goes_with_the_last_that_has_it(void **state)
{
	const struct crash_test first = { prepare, run_first, check_first,
					  NULL };
	const struct crash_test last = { prepare_last, run_last, check_last,
					 NULL };

	crash_every_way(&first);
	crash_every_way(&last);
}

#define NOBODYS(more)                                                          \
	"{\"HostConfig\":{\"Mounts\":[{\"Type\":\"volume\",\"Source\":"        \
	"\"nobodys\",\"Target\":\"/a\",\"Anonymous\":true" more "}]}}"

/* A container that could not be made takes only its own volumes along. */
static void what_came_to_nothing_leaves_the_others_be(void **state)
{
	img_auto(store_close) struct store *store = temp_store_open(*state);

	/* Even where the other one was removed meanwhile. */
	add_volume(store, "nobodys", true);
	container_volumes_drop(store, NOBODYS(",\"From\":\"x\""));
	assert_true(has(store, "named_volumes", "nobodys"));
	container_volumes_drop(store, NOBODYS(""));
	assert_false(has(store, "named_volumes", "nobodys"));
}

/* A volume that went while its container was made is missed at once. */
static void what_went_meanwhile_is_named(void **state)
{
	img_auto(store_close) struct store *store = temp_store_open(*state);
	img_auto(container_row_release) struct container_row row = { 0 };
	struct img_err err = { 0 };

	add_volume(store, "data", false);
	add_container(store, "one", HOST);
	assert_int_equal(container_find(store, "one", &row, &err), 0);
	assert_int_equal(container_volumes_check(store, &row, &err),
			 -IMG_E_NOT_FOUND);
	assert_string_equal(err.msg,
			    "the volume 'nobodys' was removed meanwhile");
	container_row_release(&row);
	row = (struct container_row){ 0 };
	add_volume(store, "nobodys", true);
	add_container(store, "two", HOST);
	assert_int_equal(container_find(store, "two", &row, &err), 0);
	err = (struct img_err){ 0 };
	assert_int_equal(container_volumes_check(store, &row, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_said_is_checked_and_kept),
		test_in_store(each_gets_what_the_other_has),
		test_in_store(one_that_is_not_there_is_named),
		test_of_crash(a_volume_goes_with_the_last_that_has_it),
		test_in_store(what_went_meanwhile_is_named),
		test_in_store(what_came_to_nothing_leaves_the_others_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
