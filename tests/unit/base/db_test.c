#include "base/db.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "tests/lib/fault.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#define SCHEMA                                                                 \
	"CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE,"            \
	" n INTEGER);"

static char dir[32], path[48];

static int setup(void **state)
{
	strcpy(dir, "/tmp/img-test-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/db", dir);
	return 0;
}

static int teardown(void **state)
{
	struct img_err err = { 0 };

	return file_remove_tree(AT_FDCWD, dir, &err);
}

static struct db *open_db(void)
{
	struct db *db = NULL;
	struct img_err err = { 0 };

	if (db_open(path, true, SCHEMA, 3, &db, &err) < 0)
		fail_msg("%s", err.msg);
	return db;
}

static int add(struct db *db, const char *name, int64_t n, struct img_err *err)
{
	return db_run(db, err, "INSERT INTO t (name, n) VALUES (?, ?)", "si",
		      name, n);
}

static int64_t count(struct db *db)
{
	struct img_err err = { 0 };
	int64_t n = -1;

	assert_int_equal(db_get_int(db, &n, &err, "SELECT count(*) FROM t", ""),
			 1);
	return n;
}

static void assert_refused(bool create, enum img_code code, const char *text)
{
	struct db *db = NULL;
	struct img_err err = { 0 };

	assert_int_equal(db_open(path, create, SCHEMA, 3, &db, &err),
			 -(int)code);
	if (!strstr(err.msg, text))
		fail_msg("%s", err.msg);
	assert_null(db);
}

static void it_is_made_when_asked(void **state)
{
	img_auto(db_close) struct db *db = NULL;
	struct stat st;

	assert_refused(false, IMG_E_NOT_FOUND, "cannot open");
	assert_int_equal(access(path, F_OK), -1);
	db = open_db();
	assert_int_equal(count(db), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void an_interrupted_making_is_none(void **state)
{
	img_auto(db_close) struct db *db = NULL;
	struct img_err err = { 0 };

	assert_int_equal(file_replace(AT_FDCWD, path, "", 0, false, &err), 0);
	assert_refused(false, IMG_E_NOT_FOUND, "has no tables");
	db = open_db();
	assert_int_equal(count(db), 0);
}

static void other_versions_and_files_are_refused(void **state)
{
	static const char text[] = "this is a letter to somebody, and long "
				   "enough to be a page of a book";
	img_auto(db_close) struct db *db = open_db();
	struct img_err err = { 0 };

	assert_true(db_run(db, &err, "PRAGMA user_version = 4", "") >= 0);
	assert_refused(true, IMG_E_UNSUPPORTED,
		       "has format 4, this img knows 3");
	assert_refused(false, IMG_E_UNSUPPORTED,
		       "has format 4, this img knows 3");
	db_close(&db);
	assert_int_equal(teardown(NULL) + mkdir(dir, 0700), 0);
	assert_int_equal(file_replace(AT_FDCWD, path, text, sizeof(text), false,
				      &err),
			 0);
	assert_refused(true, IMG_E_CORRUPT, "file is not a database");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_refused(true, IMG_E_SYS, path);
}

static void values_come_back(void **state)
{
	img_auto(db_close) struct db *db = open_db();
	img_auto(db_row_end) struct db_row *row = NULL;
	struct img_err err = { 0 };

	assert_int_equal(add(db, "a", INT64_MIN, &err), 1);
	assert_int_equal(db_last_id(db), 1);
	assert_int_equal(add(db, NULL, INT64_MAX, &err), 1);
	assert_int_equal(db_run(db, &err,
				"INSERT INTO t (name, n) VALUES"
				" (?, ?)",
				"sn", "c"),
			 1);
	assert_int_equal(db_query(db, &row, &err,
				  "SELECT name, n FROM t WHERE id > ?"
				  " ORDER BY id",
				  "i", INT64_C(0)),
			 0);
	assert_int_equal(db_next(row, &err), 1);
	assert_string_equal(db_text(row, 0), "a");
	assert_true(db_int(row, 1) == INT64_MIN);
	assert_int_equal(db_next(row, &err), 1);
	assert_null(db_text(row, 0));
	assert_true(db_int(row, 1) == INT64_MAX);
	assert_int_equal(db_next(row, &err), 1);
	assert_null(db_text(row, 1));
	assert_int_equal(db_next(row, &err), 0);
}

static void changes_are_counted(void **state)
{
	img_auto(db_close) struct db *db = open_db();
	struct img_err err = { 0 };
	int64_t n = 42;

	for (int i = 0; i < 5; i++)
		assert_int_equal(add(db, NULL, i, &err), 1);
	assert_int_equal(db_run(db, &err, "UPDATE t SET n = 9 WHERE n < ?", "i",
				INT64_C(3)),
			 3);
	assert_int_equal(db_run(db, &err, "DELETE FROM t WHERE n = 100", ""),
			 0);
	assert_int_equal(db_get_int(db, &n, &err,
				    "SELECT n FROM t WHERE id = 99", ""),
			 0);
	assert_int_equal(db_get_int(db, &n, &err, "SELECT NULL", ""), 0);
	assert_int_equal(n, 42);
}

static void what_is_there_is_named_so(void **state)
{
	img_auto(db_close) struct db *db = open_db();
	struct img_err err = { 0 };

	assert_int_equal(add(db, "a", 1, &err), 1);
	assert_int_equal(add(db, "a", 2, &err), -IMG_E_EXISTS);
	assert_non_null(strstr(err.msg, "UNIQUE constraint failed: t.name"));
	assert_int_equal(count(db), 1);
	/* The statement can be used again. */
	err = (struct img_err){ 0 };
	assert_int_equal(add(db, "b", 2, &err), 1);
}

static void bad_sql_is_an_error(void **state)
{
	img_auto(db_close) struct db *db = open_db();
	struct db_row *row = NULL;
	struct img_err err = { 0 };
	int64_t n;

	assert_int_equal(db_run(db, &err, "NONSENSE", ""), -IMG_E_SYS);
	assert_non_null(strstr(err.msg, "syntax error"));
	err = (struct img_err){ 0 };
	assert_int_equal(db_query(db, &row, &err, "SELECT * FROM u", ""),
			 -IMG_E_SYS);
	assert_non_null(strstr(err.msg, "no such table: u"));
	assert_null(row);
	err = (struct img_err){ 0 };
	assert_int_equal(db_get_int(db, &n, &err, "SELECT 1", "i", INT64_C(1)),
			 -IMG_E_SYS);
}

static void what_is_not_committed_is_not(void **state)
{
	img_auto(db_close) struct db *db = open_db();
	struct img_err err = { 0 };

	for (int durable = 0; durable < 2; durable++) {
		img_auto(db_txn_release) struct db *txn = NULL;

		assert_int_equal(db_begin(db, durable != 0, &err), 0);
		txn = db;
		assert_int_equal(add(db, "a", 1, &err), 1);
		assert_int_equal(count(db), 1);
	}
	assert_int_equal(count(db), 0);
	{
		img_auto(db_txn_release) struct db *txn = NULL;

		assert_int_equal(db_begin(db, true, &err), 0);
		txn = db;
		assert_int_equal(add(db, "a", 1, &err), 1);
		assert_int_equal(db_commit(db, &err), 0);
	}
	db_rollback(db); /* none is open */
	assert_int_equal(count(db), 1);
	/* A handle that is closed in the middle takes its work with it. */
	assert_int_equal(db_begin(db, false, &err), 0);
	assert_int_equal(add(db, "b", 1, &err), 1);
	db_close(&db);
	db = open_db();
	assert_int_equal(count(db), 1);
}

static unsigned steps_of_a_commit(struct db *db, bool durable)
{
	struct img_err err = { 0 };
	unsigned steps;

	assert_int_equal(db_begin(db, durable, &err), 0);
	assert_int_equal(add(db, NULL, 1, &err), 1);
	fault_arm(FAULT_FAIL, 0);
	assert_int_equal(db_commit(db, &err), 0);
	steps = fault_disarm();
	return steps;
}

/* The one is as many writes as the other, and a sync more. */
static void only_a_durable_commit_syncs(void **state)
{
	img_auto(db_close) struct db *db = open_db();
	unsigned plain = steps_of_a_commit(db, false);

	assert_int_equal(steps_of_a_commit(db, true), plain + 1);
	assert_int_equal(steps_of_a_commit(db, false), plain);
	assert_int_equal(steps_of_a_commit(db, true), plain + 1);
}

static void a_commit_that_fails_says_so(void **state)
{
	img_auto(db_close) struct db *db = open_db();
	unsigned n = 1;

	for (;; n++) {
		img_auto(db_txn_release) struct db *txn = NULL;
		struct img_err err = { 0 };
		int r;

		assert_int_equal(db_begin(db, true, &err), 0);
		txn = db;
		assert_int_equal(add(db, NULL, 1, &err), 1);
		fault_arm(FAULT_FAIL, n);
		r = db_commit(db, &err);
		if (fault_disarm() < n)
			break;
		assert_int_equal(r, -IMG_E_SYS);
		assert_non_null(strstr(err.msg, "cannot change"));
		db_rollback(db);
		assert_int_equal(count(db), 0);
	}
	assert_true(n > 2);
	assert_int_equal(count(db), 1);
}

/* Wherever it fails: the log holds it then, whole but for its fsync. */
static void a_commit_that_fails_never_comes_back(void **state)
{
	struct img_err err = { 0 };
	unsigned n = 0, steps;
	int r;

	do {
		img_auto(db_close) struct db *reader = NULL;
		struct db *db = open_db();
		int64_t before = count(db);

		n++;
		assert_int_equal(db_begin(db, true, &err), 0);
		assert_int_equal(add(db, NULL, n, &err), 1);
		fault_arm(FAULT_FAIL, n);
		r = db_commit(db, &err);
		steps = fault_disarm();
		err = (struct img_err){ 0 };
		reader = open_db();
		assert_int_equal(count(reader), before + (r == 0));
		/* Nor after the last who knew better is gone. */
		db_close(&reader);
		db_close(&db);
		reader = open_db();
		assert_int_equal(count(reader), before + (r == 0));
	} while (steps >= n);
	assert_true(n > 2);
}

static void statements_are_limited(void **state)
{
	img_auto(db_close) struct db *db = open_db();
	struct img_err err = { 0 };
	char other[200][10];
	int64_t n;
	int r = 1;

	for (size_t i = 0; i < 200 && r == 1; i++) {
		(void)snprintf(other[i], sizeof(other[i]), "SELECT 1");
		r = db_get_int(db, &n, &err, other[i], "");
	}
	assert_int_equal(r, -IMG_E_INTERNAL);
	assert_string_equal(err.msg, "too many different SQL statements");
}

/* Holds the write lock for a moment, in a process of its own. */
static pid_t start_writer(int *ret_fd)
{
	int fds[2];
	pid_t pid;
	char byte;

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct img_err err = { 0 };
		struct db *db = open_db();

		(void)close(fds[0]);
		if (db_begin(db, false, &err) < 0 ||
		    add(db, "theirs", 1, &err) < 0 ||
		    write(fds[1], "x", 1) != 1 || read(fds[1], &byte, 1) != 1)
			_exit(1);
		(void)usleep(150000); /* most often somebody waits by then */
		_exit(db_commit(db, &err) < 0);
	}
	(void)close(fds[1]);
	assert_int_equal(read(fds[0], &byte, 1), 1);
	*ret_fd = fds[0];
	return pid;
}

static void writers_wait_and_readers_do_not(void **state)
{
	img_auto(db_close) struct db *db = NULL;
	img_auto(img_fd_release) int gate = -1;
	struct img_err err = { 0 };
	int status;
	pid_t pid;

	db = open_db();
	db_close(&db); /* no handle crosses the fork */
	pid = start_writer(&gate);
	db = open_db();
	assert_int_equal(count(db), 0);
	assert_int_equal(write(gate, "x", 1), 1);
	assert_int_equal(db_begin(db, false, &err), 0);
	assert_int_equal(count(db), 1);
	assert_int_equal(add(db, "ours", 1, &err), 1);
	assert_int_equal(db_commit(db, &err), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void many_processes_count_together(void **state)
{
	img_auto(db_close) struct db *db = open_db();

	db_close(&db);
	for (int i = 0; i < 4; i++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid > 0)
			continue;
		db = open_db();
		for (int j = 0; j < 25; j++) {
			struct img_err err = { 0 };

			if (db_begin(db, j % 2, &err) < 0 ||
			    add(db, NULL, j, &err) < 0 ||
			    db_commit(db, &err) < 0)
				_exit(1);
		}
		_exit(0);
	}
	for (int i = 0; i < 4; i++) {
		int status;

		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	db = open_db();
	assert_int_equal(count(db), 100);
}

#define test_of_db(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_of_db(it_is_made_when_asked),
		test_of_db(an_interrupted_making_is_none),
		test_of_db(other_versions_and_files_are_refused),
		test_of_db(values_come_back),
		test_of_db(changes_are_counted),
		test_of_db(what_is_there_is_named_so),
		test_of_db(bad_sql_is_an_error),
		test_of_db(what_is_not_committed_is_not),
		test_of_db(only_a_durable_commit_syncs),
		test_of_db(a_commit_that_fails_says_so),
		test_of_db(a_commit_that_fails_never_comes_back),
		test_of_db(statements_are_limited),
		test_of_db(writers_wait_and_readers_do_not),
		test_of_db(many_processes_count_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
