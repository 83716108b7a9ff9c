#include "cli/container_volumes.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "image/config.h"
#include "image/formats.h"
#include "tests/lib/crash_volume.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/*
 * Containers come with volumes and go with those that nobody named, and at
 * every step of that something fails or the process dies.
 */

#define CONFIG(binds, mounts, declared)                                        \
	"{\"HostConfig\":{\"Binds\":[" binds "],\"Mounts\":[" mounts           \
	"],\"Tmpfs\":{\"/tmp\":\"\"}},\"Volumes\":{" declared "}}"

/* One that is named, and one of the image. */
#define BOTH CONFIG("\"data:/d\"", "", "\"/v\":{}")

/* In the place of the part's: what a file system is made of is none of the
 * steps here. */
int formats_mkfs(int fd, uint64_t size_bytes, const char *label,
		 struct img_err *err)
{
	return fault_is_due()
		       ? img_err_set(err, IMG_E_SYS, 0, "injected into mkfs")
		       : 0;
}

static void set_options(struct temp_store *t)
{
	t->options.run_ended = container_run_ended;
	t->options.vanished = container_vanished;
	t->options.swept = container_dirs_sweep;
}

static int64_t count(struct store *store, const char *what)
{
	img_auto(img_mem_release) char *sql =
		mem_printf("SELECT count(*) FROM %s", what);

	return temp_store_count(store, sql);
}

/* As `img create` does it; the caller releases @ret. */
static int create(struct store *store, const char *name, const char *config,
		  struct container_row *ret, struct img_err *err)
{
	img_auto(volume_pending_release) struct volume_pending new = { 0 };
	img_auto(db_txn_release) struct db *txn = NULL;
	int r;

	*ret = (struct container_row){
		.image_name = mem_strdup("base"),
		.config = mem_strdup(config),
		.created_ns = 1,
	};
	(void)snprintf(ret->name, sizeof(ret->name), "%s", name);
	memset(ret->id.hex, name[0], ID_LEN);
	memset(ret->image.hex, 'e', ID_LEN);
	r = container_volumes_resolve(store, &ret->config, err);
	if (r < 0)
		return r;
	r = volume_create(store, UINT64_C(16) << 20, &new, err);
	if (r == 0)
		r = db_begin(store_db(store), false, err);
	if (r == 0) {
		txn = store_db(store);
		ret->volume = new.volume;
		r = container_insert(store, ret, err);
	}
	if (r == 0)
		r = volume_settle(&new, err);
	if (r == 0)
		r = db_commit(store_db(store), err);
	if (r == 0) {
		volume_keep(&new);
		return 0;
	}
	db_txn_release(&txn);
	volume_pending_release(&new);
	container_volumes_drop(store, ret->config);
	return r;
}

static void add(struct store *store, const char *name, const char *config)
{
	img_auto(container_row_release) struct container_row row = { 0 };
	struct img_err err = { 0 };

	if (create(store, name, config, &row, &err) < 0)
		fail_msg("%s", err.msg);
}

static void prepare_none(struct crash_case *c, struct store *store)
{
	set_options(c->t);
}

static int run_create(struct crash_case *c, struct store *store,
		      struct img_err *err)
{
	img_auto(container_row_release) struct container_row row = { 0 };

	return create(store, "web", BOTH, &row, err);
}

static void check_create(struct crash_case *c, struct store *store,
			 enum crash_end end)
{
	const int64_t containers = count(store, "containers");

	crash_volume_check_owned(c, store);
	if (end != CRASH_DIED)
		assert_int_equal(containers, end == CRASH_DONE);
	assert_int_equal(count(store, "volume_users"), 2 * containers);
	assert_int_equal(count(store, "volume_users WHERE anonymous"),
			 containers);
	if (containers)
		assert_int_equal(count(store, "named_volumes"), 2);
	/* Of one that died `volume prune` finds it. */
	if (end != CRASH_DIED)
		assert_int_equal(count(store, "named_volumes WHERE anonymous"),
				 containers);
}

static void creating(void **state)
{
	const struct crash_test test = { prepare_none, run_create, check_create,
					 NULL };

	crash_every_way(&test);
}

static void prepare_web(struct crash_case *c, struct store *store)
{
	set_options(c->t);
	add(store, "web", BOTH);
}

static int run_remove(struct crash_case *c, struct store *store,
		      struct img_err *err)
{
	img_auto(container_row_release) struct container_row web = { 0 };
	int r = container_find(store, "web", &web, err);

	return r < 0 ? r : container_remove(store, &web, NULL, true, err);
}

static void check_all_or_none(struct crash_case *c, struct store *store,
			      enum crash_end end)
{
	const int64_t containers = count(store, "containers");

	crash_volume_check_owned(c, store);
	if (end == CRASH_DONE)
		assert_int_equal(containers, 0);
	assert_int_equal(count(store, "volume_users"), 2 * containers);
	assert_int_equal(count(store, "named_volumes WHERE anonymous"),
			 containers);
	assert_int_equal(count(store, "named_volumes WHERE name = 'data'"), 1);
}

static void removing(void **state)
{
	const struct crash_test test = { prepare_web, run_remove,
					 check_all_or_none, NULL };

	crash_every_way(&test);
}

/* A supervisor is killed whose container was to go. */
static void prepare_dead(struct crash_case *c)
{
	pid_t pid;
	int status;

	set_options(c->t);
	(void)fflush(NULL); /* or the child would print it again */
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		img_auto(
			container_row_release) struct container_row web = { 0 };
		struct store *store = temp_store_open(c->t);
		struct volume_pending run = { 0 };
		struct img_err err = { 0 };

		add(store, "web", BOTH);
		if (db_run(store_db(store), &err,
			   "UPDATE containers SET auto_remove = 1", "") < 0 ||
		    container_find(store, "web", &web, &err) < 0 ||
		    volume_begin_run(store, &web.volume, &run, &err) < 0)
			_exit(1);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* What cannot be done now is done by the next open: it says nothing. */
static int run_open(struct crash_case *c, struct store *none,
		    struct img_err *err)
{
	img_auto(store_close) struct store *store = NULL;

	return store_open(&c->t->options, &store, err);
}

static void check_gone(struct crash_case *c, struct store *store,
		       enum crash_end end)
{
	check_all_or_none(c, store, CRASH_DONE);
	assert_int_equal(count(store, "volumes"), 1);
}

static void the_end_of_one_that_was_to_go(void **state)
{
	const struct crash_test test = { NULL, run_open, check_gone,
					 prepare_dead };

	crash_every_way(&test);
}

static json_t *resolve(struct store *store, const char *config)
{
	img_auto(img_mem_release) char *text = mem_strdup(config);
	struct img_err err = { 0 };
	json_t *json = NULL;

	if (container_volumes_resolve(store, &text, &err) < 0 ||
	    image_config_parse(text, &json, &err) < 0)
		fail_msg("%s", err.msg);
	return json;
}

static void who_names_none_gets_none(void **state)
{
	static const char config[] =
		"{\"HostConfig\":{\"Binds\":[],\"Mounts\":[]}}";
	img_auto(store_close) struct store *store = temp_store_open(*state);
	img_auto(img_mem_release) char *text = mem_strdup(config);
	const char *before = text;
	struct img_err err = { 0 };

	assert_int_equal(container_volumes_resolve(store, &text, &err), 0);
	assert_ptr_equal(text, before);
	assert_string_equal(text, config);
	assert_int_equal(count(store, "named_volumes"), 0);
}

/* What the image declares is made where nothing else is mounted. */
static void the_command_line_goes_before_the_image(void **state)
{
	img_auto(store_close) struct store *store = temp_store_open(*state);
	img_auto(json_release) json_t *json = resolve(
		store, CONFIG("\"/etc:/a\",\"data:/b/../c\"",
			      "{\"Type\":\"tmpfs\",\"Target\":\"/m\"}",
			      "\"/a/\":{},\"/c\":{},\"/m\":{},\"/tmp/.\":{},"
			      "\"//v\":{}"));
	const json_t *mounts =
		json_object_get(json_object_get(json, "HostConfig"), "Mounts");
	const json_t *made = json_array_get(mounts, 1);

	assert_int_equal(json_array_size(mounts), 2);
	assert_string_equal(json_text(made, "Type"), "volume");
	assert_string_equal(json_text(made, "Target"), "/v");
	assert_true(json_is_true(json_object_get(made, "Anonymous")));
	assert_int_equal(strlen(json_text(made, "Source")), ID_LEN);
	assert_int_equal(count(store, "named_volumes"), 2);
	assert_int_equal(count(store, "named_volumes WHERE anonymous"), 1);
	assert_int_equal(count(store, "named_volumes WHERE name = 'data'"), 1);
}

static void a_volume_that_is_there_is_taken_as_it_is(void **state)
{
	img_auto(store_close) struct store *store = temp_store_open(*state);
	struct named_volume_new data = { .name = "data",
					 .size_bytes = UINT64_C(16) << 20 };
	img_auto(json_release) json_t *json = NULL;
	struct img_err err = { 0 };

	assert_int_equal(named_volume_create(store, &data, &err), 0);
	json = resolve(store, CONFIG("",
				     "{\"Type\":\"volume\",\"Source\":\"data\","
				     "\"Target\":\"/d\"}",
				     ""));
	assert_int_equal(count(store, "named_volumes"), 1);
	assert_int_equal(
		count(store, "volumes WHERE size_bytes = 16 * 1024 * 1024"), 1);
}

/* The first was made when the second could not be. */
static void none_is_left_of_what_cannot_be(void **state)
{
	static const char *const configs[][2] = {
		{ CONFIG("", "", "\"/v\":{},\"relative\":{}"),
		  "the image's VOLUME 'relative': the target must be an "
		  "absolute path" },
		{ CONFIG("",
			 "{\"Type\":\"volume\",\"Target\":\"/a\"},"
			 "{\"Type\":\"volume\",\"Target\":\"/b\","
			 "\"VolumeOptions\":{\"DriverConfig\":{\"Options\":"
			 "{\"uid\":\"7\"}}}}",
			 ""),
		  "a volume has no option 'uid', only 'size'" },
		{ CONFIG("",
			 "{\"Type\":\"volume\",\"Target\":\"/a\"},"
			 "{\"Type\":\"volume\",\"Source\":\"a/b\","
			 "\"Target\":\"/b\"}",
			 ""),
		  "cannot make the volume 'a/b': 'a/b' is not a volume name: "
		  "2 to 255 letters, digits, and _ . - after the first" },
	};
	img_auto(store_close) struct store *store = temp_store_open(*state);

	for (size_t i = 0; i < IMG_COUNT(configs); i++) {
		img_auto(img_mem_release) char *text =
			mem_strdup(configs[i][0]);
		struct img_err err = { 0 };

		assert_int_equal(container_volumes_resolve(store, &text, &err),
				 -IMG_E_INPUT);
		assert_string_equal(err.msg, configs[i][1]);
		assert_string_equal(text, configs[i][0]);
		assert_int_equal(count(store, "named_volumes"), 0);
		assert_int_equal(count(store, "volumes"), 0);
	}
}

static void assert_users(struct store *store, const char *volume,
			 const char *users)
{
	img_auto(img_mem_release) char *names = NULL;
	struct img_err err = { 0 };

	assert_int_equal(
		container_volumes_user_names(store, volume, &names, &err), 0);
	if (users)
		assert_string_equal(names, users);
	else
		assert_null(names);
}

static void remove_container(struct store *store, const char *name)
{
	img_auto(container_row_release) struct container_row row = { 0 };
	struct img_err err = { 0 };

	if (container_find(store, name, &row, &err) < 0 ||
	    container_remove(store, &row, NULL, true, &err) < 0)
		fail_msg("%s", err.msg);
}

/* While a container has a volume nothing can remove it; and who came by one
 * that nobody named, by its name, keeps it, and keeps it for good. */
static void who_else_has_it_keeps_it(void **state)
{
	img_auto(store_close) struct store *store = temp_store_open(*state);
	img_auto(container_row_release) struct container_row web = { 0 };
	img_auto(named_volume_release) struct named_volume own = { 0 };
	img_auto(img_mem_release) char *config = NULL;
	struct img_err err = { 0 };
	const char *name;

	assert_int_equal(create(store, "web", BOTH, &web, &err), 0);
	name = strstr(web.config, "\"Source\":\"") + strlen("\"Source\":\"");
	config = mem_printf(CONFIG("\"%.64s:/x\",\"data:/y\"", "", ""), name);
	add(store, "also", config);
	assert_users(store, "data", "also, web");
	config[strlen("{\"HostConfig\":{\"Binds\":[\"") + ID_LEN] = '\0';
	name = config + strlen("{\"HostConfig\":{\"Binds\":[\"");
	assert_users(store, name, "also, web");
	assert_int_equal(named_volume_find(store, name, &own, &err), 0);
	assert_int_equal(named_volume_remove(store, &own, &err), -IMG_E_BUSY);
	assert_string_equal(err.msg, "a container has it");

	remove_container(store, "web");
	assert_users(store, name, "also");
	remove_container(store, "also");
	assert_users(store, name, NULL);
	assert_users(store, "data", NULL);
	assert_int_equal(count(store, "named_volumes"), 2);
	assert_int_equal(count(store, "volumes"), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_of_crash(creating),
		test_of_crash(removing),
		test_of_crash(the_end_of_one_that_was_to_go),
		test_in_store(who_names_none_gets_none),
		test_in_store(the_command_line_goes_before_the_image),
		test_in_store(a_volume_that_is_there_is_taken_as_it_is),
		test_in_store(none_is_left_of_what_cannot_be),
		test_in_store(who_else_has_it_keeps_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
