#include "base/db.h"

#include "base/cleanup.h"
#include "base/db_log.h"
#include "base/db_wait.h"
#include "base/lock_order.h"
#include "base/pages.h"
#include "base/str.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>

#define CACHED_MAX 160

/* Whoever opens the database alone reads the whole log, so it has to stay
 * short.  It is folded into the database once it is this long: by a durable
 * transaction, which pays for an fsync anyway, before any other has to. */
#define WAL_PAGES_DURABLE 64
#define WAL_PAGES_ANY	  256

struct db_row {
	struct db *db;
	sqlite3_stmt *stmt;
};

struct cached {
	const char *sql;
	struct db_row row;
};

struct db {
	sqlite3 *sql;
	char *path;
	bool durable;
	int wal_pages;
	struct db_wait wait;
	struct cached cached[CACHED_MAX];
	int n_cached;
};

static enum img_code code_of(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_CONSTRAINT:
		return IMG_E_EXISTS;
	case SQLITE_FULL:
		return IMG_E_NO_SPACE;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return IMG_E_CORRUPT;
	case SQLITE_BUSY:
		return IMG_E_BUSY;
	default:
		return IMG_E_SYS;
	}
}

static int fail(struct db *db, const char *doing, struct img_err *err)
{
	return img_err_set(err, code_of(sqlite3_errcode(db->sql)), 0,
			   "cannot %s %s: %s", doing, db->path,
			   sqlite3_errmsg(db->sql));
}

static int exec(struct db *db, const char *sql, const char *doing,
		struct img_err *err)
{
	if (sqlite3_exec(db->sql, sql, NULL, NULL, NULL) != SQLITE_OK)
		return fail(db, doing, err);
	return 0;
}

static int wal_grew(void *self, sqlite3 *sql, const char *name, int pages)
{
	struct db *db = self;

	db->wal_pages = pages;
	return SQLITE_OK;
}

static int make_schema(struct db *db, const char *schema, int version,
		       struct img_err *err)
{
	img_auto(db_txn_release) struct db *txn = NULL;
	img_auto(img_mem_release) char *stamp = NULL;
	int64_t have = 0;
	int r;

	r = exec(db, "PRAGMA journal_mode = WAL", "open", err);
	if (r == 0)
		r = db_begin(db, true, err);
	if (r < 0)
		return r;
	txn = db;
	/* Another process may have been faster. */
	r = db_get_int(db, &have, err, "PRAGMA user_version", "");
	if (r < 0 || have != 0)
		return r < 0 ? r : 0;
	stamp = mem_printf("PRAGMA user_version = %d", version);
	r = exec(db, schema, "make the tables of", err);
	if (r == 0)
		r = exec(db, stamp, "make the tables of", err);
	return r < 0 ? r : db_commit(db, err);
}

/* The log's index, which all who have it open share: SQLite maps nothing else. */
static void *map_index(void *at, size_t size, int protection, int flags, int fd,
		       off_t offset)
{
	void *got = mmap(at, size, protection, flags, fd, offset);

	if (got != MAP_FAILED)
		pages_map_file(got, size);
	return got;
}

/* Before the first use of the library in this process: no cache is laid out
 * ahead of need, since each page of memory that is touched has its price. */
static void prepare_library(void)
{
	/* As which one SQLite calls it depends on how it was built. */
	static const char *const preads[] = { "pread", "pread64" };
	static bool done;
	sqlite3_vfs *vfs;

	if (done)
		return;
	done = true;
	(void)sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0);
	vfs = sqlite3_vfs_find(NULL);
	for (size_t i = 0; vfs && i < IMG_COUNT(preads); i++)
		(void)vfs->xSetSystemCall(vfs, preads[i],
					  (sqlite3_syscall_ptr)db_log_pread);
	if (vfs)
		(void)vfs->xSetSystemCall(vfs, "mmap",
					  (sqlite3_syscall_ptr)map_index);
}

static int check_schema(struct db *db, bool create, const char *schema,
			int version, struct img_err *err)
{
	int64_t have = 0;
	int r = db_get_int(db, &have, err, "PRAGMA user_version", "");

	if (r >= 0 && have == 0 && create) {
		r = make_schema(db, schema, version, err);
		have = version;
	}
	if (r < 0)
		return r;
	if (have == 0) /* its making was interrupted */
		return img_err_set(err, IMG_E_NOT_FOUND, 0, "%s has no tables",
				   db->path);
	if (have != version)
		return img_err_set(err, IMG_E_UNSUPPORTED, 0,
				   "%s has format %d, this img knows %d",
				   db->path, (int)have, version);
	return 0;
}

/* Left to itself SQLite makes files that everybody can read. */
static int make_private(const char *path, struct img_err *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return img_err_sys(err, "cannot create %s", path);
	img_fd_release(&fd);
	return 0;
}

int db_open(const char *path, bool create, const char *schema, int version,
	    struct db **ret, struct img_err *err)
{
	img_auto(db_close) struct db *db = mem_zalloc(sizeof(*db));
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
		    (create ? SQLITE_OPEN_CREATE : 0);
	int r;

	prepare_library();
	db->durable = true; /* as SQLite begins */
	db->path = mem_strdup(path);
	if (create) {
		r = make_private(path, err);
		if (r < 0)
			return r;
	}
	if (!create && access(path, F_OK) < 0)
		return img_err_sys(err, "cannot open %s", path);
	if (sqlite3_open_v2(path, &db->sql, flags, NULL) != SQLITE_OK)
		return fail(db, "open", err);
	db->wait.wait_ms = DB_WAIT_MS;
	(void)sqlite3_busy_handler(db->sql, db_wait_turn, &db->wait);
	/* Closing must not cost an fsync: the log stays for the next one. */
	(void)sqlite3_db_config(db->sql, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1,
				NULL);
	(void)sqlite3_db_config(db->sql, SQLITE_DBCONFIG_ENABLE_FKEY, 1, NULL);
	(void)sqlite3_wal_hook(db->sql, wal_grew, db);
	r = check_schema(db, create, schema, version, err);
	if (r < 0)
		return r;
	*ret = img_mem_take(&db);
	return 0;
}

void db_close(struct db **db)
{
	if (!*db)
		return;
	db_rollback(*db);
	for (int i = 0; i < (*db)->n_cached; i++)
		(void)sqlite3_finalize((*db)->cached[i].row.stmt);
	(void)sqlite3_close((*db)->sql);
	free((*db)->path);
	free(*db);
	*db = NULL;
}

/* Empties the log, as far as nobody reads from it, without waiting.  What is
 * committed is committed, whatever becomes of this. */
static void fold_log(struct db *db)
{
	db->wait.wait_ms = 0;
	(void)sqlite3_wal_checkpoint_v2(db->sql, NULL,
					SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	db->wait.wait_ms = DB_WAIT_MS;
	db->wal_pages = 0; /* not again before the next commit */
}

int db_fold(struct db *db, struct img_err *err)
{
	int r = exec(db, "PRAGMA synchronous = FULL", "fold the log of", err);

	if (r == 0 &&
	    sqlite3_wal_checkpoint_v2(db->sql, NULL, SQLITE_CHECKPOINT_TRUNCATE,
				      NULL, NULL) != SQLITE_OK)
		r = fail(db, "fold the log of", err);
	return r;
}

int db_begin(struct db *db, bool durable, struct img_err *err)
{
	int r = 0;

	if (durable != db->durable)
		r = exec(db,
			 durable ? "PRAGMA synchronous = FULL"
				 : "PRAGMA synchronous = NORMAL",
			 "change", err);
	if (r < 0)
		return r;
	db->durable = durable;
	/* First, so that the fsync of a new log's header is ours as well. */
	if (durable && db->wal_pages > WAL_PAGES_DURABLE)
		fold_log(db);
	lock_order_take((uintptr_t)db, LOCK_RANK_DB, "a transaction");
	r = exec(db, "BEGIN IMMEDIATE", "change", err);
	if (r < 0)
		lock_order_drop((uintptr_t)db, LOCK_RANK_DB);
	return r;
}

/* What a commit had written before it failed, at its fsync say, would come back
 * with the next reader of the log; unless another commit takes its place
 * there.  That changes a number which nobody reads. */
static void bury(struct db *db)
{
	struct img_err dropped = { 0 }; /* the commit's failure is told */
	char sql[48];
	int64_t n = 0;

	db_rollback(db);
	if (exec(db, "BEGIN IMMEDIATE", "change", &dropped) < 0)
		return;
	if (db_get_int(db, &n, &dropped, "PRAGMA application_id", "") > 0) {
		(void)snprintf(sql, sizeof(sql), "PRAGMA application_id = %d",
			       (int)((n + 1) % INT32_MAX));
		if (exec(db, sql, "change", &dropped) == 0)
			(void)exec(db, "COMMIT", "change", &dropped);
	}
	db_rollback(db);
}

int db_commit(struct db *db, struct img_err *err)
{
	int r = exec(db, "COMMIT", "change", err);

	if (r < 0)
		bury(db);
	lock_order_drop((uintptr_t)db, LOCK_RANK_DB);
	if (r == 0 && !db->durable && db->wal_pages > WAL_PAGES_ANY)
		fold_log(db);
	return r;
}

void db_rollback(struct db *db)
{
	if (db->sql && !sqlite3_get_autocommit(db->sql))
		(void)sqlite3_exec(db->sql, "ROLLBACK", NULL, NULL, NULL);
	lock_order_drop((uintptr_t)db, LOCK_RANK_DB);
}

static struct db_row *prepare(struct db *db, const char *sql,
			      struct img_err *err)
{
	struct cached *c = NULL;

	for (int i = 0; i < db->n_cached && !c; i++)
		if (db->cached[i].sql == sql)
			c = &db->cached[i];
	if (c)
		return &c->row;
	if (db->n_cached == CACHED_MAX) {
		(void)img_err_set(err, IMG_E_INTERNAL, 0,
				  "too many different SQL statements");
		return NULL;
	}
	c = &db->cached[db->n_cached];
	if (sqlite3_prepare_v3(db->sql, sql, -1, SQLITE_PREPARE_PERSISTENT,
			       &c->row.stmt, NULL) != SQLITE_OK) {
		(void)fail(db, "read", err);
		return NULL;
	}
	c->sql = sql;
	c->row.db = db;
	db->n_cached++;
	return &c->row;
}

static struct db_row *bind(struct db *db, const char *sql, const char *types,
			   va_list ap, struct img_err *err)
{
	struct db_row *row = prepare(db, sql, err);
	int rc = SQLITE_OK;

	if (!row)
		return NULL;
	for (int i = 0; types[i] && rc == SQLITE_OK; i++)
		if (types[i] == 'i')
			rc = sqlite3_bind_int64(row->stmt, i + 1,
						va_arg(ap, int64_t));
		else if (types[i] == 's')
			rc = sqlite3_bind_text(row->stmt, i + 1,
					       va_arg(ap, const char *), -1,
					       SQLITE_TRANSIENT);
		else
			rc = sqlite3_bind_null(row->stmt, i + 1);
	if (rc != SQLITE_OK) {
		(void)fail(db, "read", err);
		return NULL;
	}
	return row;
}

int db_run(struct db *db, struct img_err *err, const char *sql,
	   const char *types, ...)
{
	struct db_row *row;
	va_list ap;
	int rc, r = 0;

	va_start(ap, types);
	row = bind(db, sql, types, ap, err);
	va_end(ap);
	if (!row)
		return -(int)err->code;
	rc = sqlite3_step(row->stmt);
	if (rc != SQLITE_DONE && rc != SQLITE_ROW)
		r = fail(db, "change", err);
	else
		r = sqlite3_changes(db->sql);
	(void)sqlite3_reset(row->stmt);
	return r;
}

int64_t db_last_id(struct db *db)
{
	return sqlite3_last_insert_rowid(db->sql);
}

int db_query(struct db *db, struct db_row **ret, struct img_err *err,
	     const char *sql, const char *types, ...)
{
	va_list ap;

	va_start(ap, types);
	*ret = bind(db, sql, types, ap, err);
	va_end(ap);
	return *ret ? 0 : -(int)err->code;
}

int db_next(struct db_row *row, struct img_err *err)
{
	int rc = sqlite3_step(row->stmt);

	if (rc == SQLITE_ROW)
		return 1;
	return rc == SQLITE_DONE ? 0 : fail(row->db, "read", err);
}

int64_t db_int(struct db_row *row, int column)
{
	return sqlite3_column_int64(row->stmt, column);
}

const char *db_text(struct db_row *row, int column)
{
	return (const char *)sqlite3_column_text(row->stmt, column);
}

void db_row_end(struct db_row **row)
{
	if (*row)
		(void)sqlite3_reset((*row)->stmt);
	*row = NULL;
}

int db_get_int(struct db *db, int64_t *ret, struct img_err *err,
	       const char *sql, const char *types, ...)
{
	img_auto(db_row_end) struct db_row *row = NULL;
	va_list ap;
	int r;

	va_start(ap, types);
	row = bind(db, sql, types, ap, err);
	va_end(ap);
	if (!row)
		return -(int)err->code;
	r = db_next(row, err);
	if (r <= 0)
		return r;
	if (sqlite3_column_type(row->stmt, 0) == SQLITE_NULL)
		return 0;
	*ret = db_int(row, 0);
	return 1;
}
