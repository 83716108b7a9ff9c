#include "cli/container.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "tests/lib/made_container.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Containers that run, how they end, and the files that go with them. */

static void a_life(void **state)
{
	img_auto(store_close) struct store *store = temp_store_open(*state);
	img_auto(container_row_release) struct container_row got = { 0 };
	struct container_row row = made_container(store, 'a', "web");
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
	made_container_find(store, "web", &got);
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
		struct container_row row =
			made_container_row(store, 'a', "web");
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
	made_container_find(store, "web", &row);
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
	made_container_find(store, "web", &row);
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
	assert_no_container(store, "web", IMG_E_NOT_FOUND,
			    "there is no container 'web'");
	assert_false(has_dir(t, 'a'));
	temp_store_check(t, store, NULL, NULL);
	assert_true(
		t->fake->went_for_good); /* it had been there before it ran */
}

static void a_volume_without_a_container_may_end(void **state)
{
	img_auto(store_close) struct store *store = temp_store_open(*state);
	struct img_err err = { 0 };

	assert_int_equal(container_run_ended(store, 77, &err), 0);
}

static void directories_follow_rows(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	img_auto(img_mem_release) char *log = NULL, *gone = NULL;
	struct container_row row = made_container(store, 'a', "web");
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
	struct container_row row = made_container(store, 'a', "web");
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
		test_in_store(a_life),
		test_in_store(an_end_that_nobody_saw),
		test_in_store(an_end_that_was_seen_stays),
		test_in_store(one_that_was_to_go_goes),
		test_in_store(a_volume_without_a_container_may_end),
		test_in_store(directories_follow_rows),
		test_in_store(a_pid_is_only_a_hint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
