#include "cli/container.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "cli/object.h"
#include "tests/lib/temp_store.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

/* What nobody has to release: ids and texts of a row for the catalog. */
static struct container_row row_of(struct store *store, char letter,
				   const char *name)
{
	struct container_row row = {
		.created_ns = letter,
		.image_name = (char *)(uintptr_t) "debian",
		.config = (char *)(uintptr_t) "{}",
	};
	struct img_err err = { 0 };

	memset(row.id.hex, letter, ID_LEN);
	memset(row.image.hex, 'e', ID_LEN);
	(void)snprintf(row.name, sizeof(row.name), "%s", name);
	if (volume_find(store, temp_store_add_volume(store), &row.volume,
			&err) < 0)
		fail_msg("%s", err.msg);
	return row;
}

static struct container_row add(struct store *store, char letter,
				const char *name)
{
	struct container_row row = row_of(store, letter, name);
	struct img_err err = { 0 };

	if (container_insert(store, &row, &err) < 0)
		fail_msg("%s", err.msg);
	return row;
}

static void find(struct store *store, const char *ref,
		 struct container_row *ret)
{
	struct img_err err = { 0 };

	if (container_find(store, ref, ret, &err) < 0)
		fail_msg("%s", err.msg);
}

static void assert_found(struct store *store, const char *ref, char letter)
{
	img_auto(container_row_release) struct container_row row = { 0 };

	find(store, ref, &row);
	assert_int_equal(row.id.hex[ID_LEN - 1], letter);
}

static void assert_not_found(struct store *store, const char *ref,
			     enum img_code code, const char *message)
{
	img_auto(container_row_release) struct container_row row = { 0 };
	struct img_err err = { 0 };

	assert_int_equal(container_find(store, ref, &row, &err), -(int)code);
	assert_string_equal(err.msg, message);
}

static void each_has_ids_of_its_own(void **state)
{
	img_auto(store_close) struct store *store = temp_store_open(*state);
	img_auto(container_row_release) struct container_row got = { 0 };
	struct container_row a = add(store, 'a', "one");
	struct container_row b = add(store, 'b', "two");
	struct container_row host = row_of(store, 'c', "host");
	struct img_err err = { 0 };

	assert_true(userns_is_own(&a.users) && userns_is_own(&b.users));
	assert_int_equal(b.users.uid_base, a.users.uid_base + USERNS_IDS);
	assert_int_equal(b.users.gid_base, a.users.gid_base + USERNS_IDS);
	find(store, "two", &got);
	assert_memory_equal(&got.users, &b.users, sizeof(got.users));
	host.config = (char *)(uintptr_t) "{\"HostConfig\":"
					  "{\"UsernsMode\":\"host\"}}";
	assert_int_equal(container_insert(store, &host, &err), 0);
	assert_false(userns_is_own(&host.users));
	/* The lowest that is free. */
	assert_int_equal(container_delete(store, &a, &err), 0);
	a = add(store, 'd', "next");
	assert_int_equal(a.users.uid_base, b.users.uid_base - USERNS_IDS);
}

static void rows_come_back(void **state)
{
	img_auto(store_close) struct store *store = temp_store_open(*state);
	img_auto(container_row_release) struct container_row got = { 0 };
	struct container_row row = add(store, 'a', "web");
	const char *text;
	struct img_err err = { 0 };

	find(store, "web", &got);
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

	(void)add(store, 'a', "web");
	(void)add(store, 'b', "db");
	(void)add(store, 'c', "aaaa"); /* a name goes before an id */
	assert_found(store, "web", 'a');
	assert_found(store, "db", 'b');
	assert_found(store, "a", 'a');
	assert_found(store, "bbbbbbbbbbbb", 'b');
	assert_found(store, "aaaa", 'c');
	assert_not_found(store, "we", IMG_E_NOT_FOUND,
			 "there is no container 'we'");
	assert_not_found(store, "", IMG_E_NOT_FOUND,
			 "there is no container ''");
	assert_not_found(store, "ab", IMG_E_NOT_FOUND,
			 "there is no container 'ab'");
}

static void a_prefix_has_to_be_unique(void **state)
{
	img_auto(store_close) struct store *store = temp_store_open(*state);
	img_auto(object_release) struct object object = { 0 };
	struct container_row row;
	struct img_err err = { 0 };

	(void)add(store, 'a', "one");
	row = row_of(store, 'a', "two");
	row.id.hex[ID_LEN - 1] = 'b';
	assert_int_equal(container_insert(store, &row, &err), 0);
	assert_not_found(store, "aaa", IMG_E_INPUT,
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

	(void)add(store, 'a', "web");
	row = row_of(store, 'b', "web");
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

	(void)add(store, 'b', "second");
	(void)add(store, 'a', "first");
	(void)add(store, 'd', "last");
	(void)add(store, 'c', "third");
	assert_int_equal(container_each(store, add_name, &names, &err), 0);
	assert_string_equal(names.s, "last third second first ");
	str_release(&names);
	(void)add(store, 'f', "stop");
	assert_int_equal(container_each(store, add_name, &names, &err), 5);
	assert_string_equal(names.s, "stop ");
}

static void a_life(void **state)
{
	img_auto(store_close) struct store *store = temp_store_open(*state);
	img_auto(container_row_release) struct container_row got = { 0 };
	struct container_row row = add(store, 'a', "web");
	struct volume_pending run = { 0 };
	const char *text;
	struct img_err err = { 0 };

	assert_int_equal(volume_begin_run(store, &row.volume, &run, &err), 0);
	assert_int_equal(container_set_started(store, &row, &err), 0);
	{
		img_auto(store_close) struct store *other =
			temp_store_open(*state);

		assert_int_equal(container_state(other, &row, &text, &err), 0);
		assert_string_equal(text, "running");
		assert_int_equal(container_is_running(other, &row, &err), 1);
		assert_int_equal(container_pid(other, &row), 0); /* not told */
	}
	assert_int_equal(container_set_finished(store, &row, 3, &err), 0);
	assert_int_equal(volume_settle(&run, &err), 0);
	volume_keep(&run);
	find(store, "web", &got);
	assert_int_equal(got.exit_status, 3);
	assert_true(got.started_ns > 0 && got.finished_ns >= got.started_ns);
	assert_int_equal(container_state(store, &got, &text, &err), 0);
	assert_string_equal(text, "exited");
}

/* A supervisor that is killed.  @seen: the status, where it had seen the end
 * but not let go of the volume, else -1. */
static void die_running(struct temp_store *t, bool auto_remove, int seen)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		struct store *store = temp_store_open(t);
		struct container_row row = row_of(store, 'a', "web");
		img_auto(img_mem_release) char *log = NULL;
		struct volume_pending run = { 0 };
		struct img_err err = { 0 };

		row.auto_remove = auto_remove;
		if (container_insert(store, &row, &err) < 0 ||
		    container_log(store, &row, &log, &err) < 0 ||
		    volume_begin_run(store, &row.volume, &run, &err) < 0 ||
		    container_set_started(store, &row, &err) < 0)
			_exit(1);
		if (seen >= 0 &&
		    container_set_finished(store, &row, seen, &err) < 0)
			_exit(1);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static bool has_dir(const struct temp_store *t, char letter)
{
	char path[160], id[ID_LEN + 1];

	memset(id, letter, ID_LEN);
	id[ID_LEN] = '\0';
	(void)snprintf(path, sizeof(path), "%s/containers/%s", t->root, id);
	return access(path, F_OK) == 0;
}

static void an_end_that_nobody_saw(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = NULL;
	img_auto(container_row_release) struct container_row row = { 0 };
	uint32_t loose[] = { 1, 0 };

	t->options.run_ended = container_run_ended;
	die_running(t, false, -1);
	store = temp_store_open(t);
	find(store, "web", &row);
	assert_int_equal(row.exit_status, 137);
	assert_true(row.finished_ns > 0);
	assert_true(has_dir(t, 'a'));
	temp_store_check(t, store, loose, NULL);
}

static void an_end_that_was_seen_stays(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = NULL;
	img_auto(container_row_release) struct container_row row = { 0 };
	uint32_t loose[] = { 1, 0 };

	t->options.run_ended = container_run_ended;
	die_running(t, false, 7);
	store = temp_store_open(t);
	find(store, "web", &row);
	assert_int_equal(row.exit_status, 7);
	temp_store_check(t, store, loose, NULL);
}

static void one_that_was_to_go_goes(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = NULL;

	t->options.run_ended = container_run_ended;
	die_running(t, true, -1);
	assert_true(has_dir(t, 'a'));
	store = temp_store_open(t);
	assert_not_found(store, "web", IMG_E_NOT_FOUND,
			 "there is no container 'web'");
	assert_false(has_dir(t, 'a'));
	temp_store_check(t, store, NULL, NULL);
}

static void a_volume_without_a_container_may_end(void **state)
{
	img_auto(store_close) struct store *store = temp_store_open(*state);
	struct img_err err = { 0 };

	assert_int_equal(container_run_ended(store, 77, &err), 0);
}

/* A rollback came between the look at a container and its start. */
static void the_volume_may_have_been_exchanged(void **state)
{
	img_auto(store_close) struct store *store = temp_store_open(*state);
	struct container_row row = add(store, 'a', "web");
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

static void directories_follow_rows(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	img_auto(img_mem_release) char *log = NULL, *gone = NULL;
	struct container_row row = add(store, 'a', "web");
	struct container_row lost = { 0 };
	struct img_err err = { 0 };

	memset(lost.id.hex, 'b', ID_LEN);
	container_dirs_sweep(store); /* none is there */
	assert_int_equal(container_log(store, &row, &log, &err), 0);
	assert_int_equal(container_log(store, &lost, &gone, &err), 0);
	assert_int_equal(file_replace(AT_FDCWD, gone, "x", 1, false, &err), 0);
	container_dirs_sweep(store);
	assert_true(has_dir(t, 'a'));
	assert_false(has_dir(t, 'b'));
	assert_int_equal(container_files_remove(store, &row, &err), 0);
	assert_int_equal(container_files_remove(store, &row, &err), 0);
	assert_false(has_dir(t, 'a'));
}

static void a_pid_is_only_a_hint(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	img_auto(store_close) struct store *other = temp_store_open(t);
	struct container_row row = add(store, 'a', "web");
	img_auto(img_mem_release) char *path = container_pid_path(store, &row);
	struct volume_pending run = { 0 };
	struct img_err err = { 0 };

	assert_int_equal(file_replace(AT_FDCWD, path, "4711\n", 5, false, &err),
			 0);
	assert_int_equal(container_pid(other, &row), 0); /* it does not run */
	assert_int_equal(volume_begin_run(store, &row.volume, &run, &err), 0);
	assert_int_equal(container_pid(other, &row), 4711);
	volume_keep(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_store(rows_come_back),
		test_in_store(each_has_ids_of_its_own),
		test_in_store(containers_are_found),
		test_in_store(a_prefix_has_to_be_unique),
		test_in_store(a_name_is_given_once),
		test_in_store(the_newest_comes_first),
		test_in_store(a_life),
		test_in_store(an_end_that_nobody_saw),
		test_in_store(an_end_that_was_seen_stays),
		test_in_store(one_that_was_to_go_goes),
		test_in_store(a_volume_without_a_container_may_end),
		test_in_store(the_volume_may_have_been_exchanged),
		test_in_store(directories_follow_rows),
		test_in_store(a_pid_is_only_a_hint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
