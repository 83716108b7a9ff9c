#include "storage/volume.h"

#include "base/cleanup.h"
#include "image/image.h"
#include "tests/lib/fault.h"
#include "tests/lib/temp_store.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

/*
 * Many processes at once do to one store what `img run --rm`, commit and rmi
 * do.  None fails, none gets in the way of another, and nothing is left.
 */

#define PROCESSES 6
#define ROUNDS	  8

static int in_txn(struct store *store, struct volume_pending *pending,
		  int (*fn)(struct volume_pending *pending,
			    struct img_err *err),
		  struct img_err *err)
{
	img_auto(db_txn_release) struct db *txn = NULL;
	int r = db_begin(store_db(store), false, err);

	if (r < 0)
		return r;
	txn = store_db(store);
	r = fn(pending, err);
	return r < 0 ? r : db_commit(store_db(store), err);
}

/* A container of an image, from its snapshot to its removal. */
static int run_once(struct store *store, const char *ref, struct img_err *err)
{
	img_auto(volume_pending_release) struct volume_pending run = { 0 };
	img_auto(image_release) struct image image = { 0 };
	char node[VOLUME_NODE_MAX];
	int r = image_find(store, ref, &image, err);

	if (r == 0)
		r = volume_snapshot(store, &image.volume, &run, err);
	if (r == 0)
		r = in_txn(store, &run, volume_settle_running, err);
	if (r < 0)
		return r;
	volume_keep_running(&run);
	r = volume_activate(store, &run.volume, node, err);
	if (r == 0)
		r = in_txn(store, &run, volume_turn_delete, err);
	return r < 0 ? r : volume_finish_delete(&run, err);
}

/* An image of an image, that goes again. */
static int commit_once(struct store *store, const char *ref, const char *text,
		       struct img_err *err)
{
	img_auto(volume_pending_release) struct volume_pending new = { 0 };
	img_auto(image_release) struct image parent = { 0 };
	img_auto(image_release) struct image child = { 0 };
	struct image_name name;
	struct id id;
	int r = image_name_parse(text, &name, err);

	if (r == 0)
		r = image_find(store, ref, &parent, err);
	if (r == 0)
		r = volume_snapshot(store, &parent.volume, &new, err);
	if (r == 0)
		r = image_add(store,
			      &(struct image_new){ .volume = &new,
						   .parent = &parent,
						   .config = "{}",
						   .name = &name,
						   .created_by = "commit",
						   .comment = "" },
			      &id, err);
	if (r == 0)
		r = image_find(store, text, &child, err);
	return r < 0 ? r : image_remove(store, &child, 1, NULL, err);
}

static int work(struct temp_store *t, unsigned number, struct img_err *err)
{
	char name[32];
	int r = 0;

	(void)snprintf(name, sizeof(name), "child-%u", number);
	for (int i = 0; r == 0 && i < ROUNDS; i++) {
		img_auto(store_close) struct store *store = NULL;

		r = store_open(&t->options, &store, err);
		if (r == 0)
			r = run_once(store, "base", err);
		if (r == 0 && i % 2)
			r = commit_once(store, "base", name, err);
	}
	return r;
}

static pid_t start_worker(struct temp_store *t, unsigned number, unsigned fatal)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct img_err err = { 0 };

		if (fatal)
			fault_arm(FAULT_KILL, fatal);
		if (work(t, number, &err) < 0) {
			(void)fprintf(stderr, "%s\n", err.msg);
			_exit(1);
		}
		_exit(0);
	}
	return pid;
}

/* What was running when its supervisor died was to go anyway. */
static int on_ended(struct store *store, uint32_t volume, struct img_err *err)
{
	return volume_condemn(store, volume, err);
}

static void prepare(struct temp_store *t)
{
	img_auto(store_close) struct store *store = temp_store_open(t);

	t->options.run_ended = on_ended;
	(void)temp_store_add_image(store, "base");
	store_close(&store);
	fake_dm_reboot(t->fake); /* all have to bring it up */
	store = temp_store_open(t);
}

static void check(struct temp_store *t)
{
	img_auto(store_close) struct store *store = temp_store_open(t);

	temp_store_check(t, store, NULL, NULL);
	assert_int_equal(temp_store_count(store, "SELECT count(*) FROM images"
						 " JOIN names ON image = id"
						 " WHERE name = 'base'"),
			 1);
}

static void nobody_gets_in_the_way(void **state)
{
	struct temp_store *t = *state;

	prepare(t);
	for (unsigned i = 0; i < PROCESSES; i++)
		(void)start_worker(t, i, 0);
	for (unsigned i = 0; i < PROCESSES; i++) {
		int status;

		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	check(t);
}

/* Some die at work; what they leave does not disturb the others. */
static void the_dead_do_not_hinder_the_living(void **state)
{
	struct temp_store *t = *state;
	unsigned killed = 0;

	prepare(t);
	for (unsigned i = 0; i < 2 * PROCESSES; i++)
		(void)start_worker(t, i, i % 2 ? 7 + 31 * i : 0);
	for (unsigned i = 0; i < 2 * PROCESSES; i++) {
		int status;

		assert_true(wait(&status) > 0);
		assert_true(WIFEXITED(status));
		if (WEXITSTATUS(status) == FAULT_KILLED)
			killed++;
		else
			assert_int_equal(WEXITSTATUS(status), 0);
	}
	assert_int_equal(killed, PROCESSES);
	{
		/* A child's image may have been acknowledged and not removed. */
		img_auto(store_close) struct store *store = temp_store_open(t);
		struct img_err err = { 0 };

		for (unsigned i = 0; i < 2 * PROCESSES; i++) {
			img_auto(image_release) struct image child = { 0 };
			struct img_err none = { 0 };
			char name[32];

			(void)snprintf(name, sizeof(name), "child-%u", i);
			if (image_find(store, name, &child, &none) == 0)
				assert_int_equal(image_remove(store, &child, 1,
							      NULL, &err),
						 0);
		}
	}
	check(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_store(nobody_gets_in_the_way),
		test_in_store(the_dead_do_not_hinder_the_living),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
