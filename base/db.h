#ifndef IMG_BASE_DB_H
#define IMG_BASE_DB_H

/*
 * SQLite, in our terms.  The only module that includes sqlite3.h.
 *
 * A database is opened in WAL mode.  Readers never wait; writers queue for
 * up to DB_WAIT_MS.  A transaction is durable or it is not, and says so when
 * it begins: a durable commit has reached the disk when it returns, the other
 * kind costs no fsync and may be lost, whole, with the power (never with a
 * process).  Statements are kept prepared for the life of the handle.
 */
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DB_WAIT_MS 30000

struct db;
struct db_row; /* a running statement */

/**
 * db_open - open a database file
 * @create: make it when missing or without tables, as an interrupted making
 *	    leaves it; else that is IMG_E_NOT_FOUND
 *	    Mode 0600: nobody else reads it.
 * @schema: SQL that makes every table; run once, in a new database
 * @version: number of that schema; another one is IMG_E_UNSUPPORTED
 */
int db_open(const char *path, bool create, const char *schema, int version,
	    struct db **ret, struct img_err *err) IMG_MUST_USE;
void db_close(struct db **db);

/* A transaction that may write.  Nested calls are a fault of the caller. */
int db_begin(struct db *db, bool durable, struct img_err *err) IMG_MUST_USE;
/* One that fails is rolled back, and nothing of it comes back later. */
int db_commit(struct db *db, struct img_err *err) IMG_MUST_USE;
/* Does nothing when no transaction is open: fit for every undo path. */
void db_rollback(struct db *db);

/* Puts all that is committed into the one file, and syncs it; what lies beside
 * it is then of no use.  IMG_E_BUSY while somebody else reads. */
int db_fold(struct db *db, struct img_err *err) IMG_MUST_USE;

/* Rolls back at the end of a scope unless db_commit came first. */
static inline void db_txn_release(struct db **db)
{
	if (*db)
		db_rollback(*db);
	*db = NULL;
}

/**
 * db_run - run one statement that returns no rows
 * @sql: a string literal (its address is the cache's key)
 * @types: one letter a parameter: i int64_t, s const char * (NULL is NULL),
 *	   n NULL (takes no argument)
 *
 * Returns the number of changed rows, or <0: IMG_E_EXISTS when a UNIQUE or
 * PRIMARY KEY says no, IMG_E_NO_SPACE when the disk is full.
 */
int db_run(struct db *db, struct img_err *err, const char *sql,
	   const char *types, ...);

/* The row id that the last INSERT made. */
int64_t db_last_id(struct db *db);

/* Starts a query; rows come from db_next.  db_row_end must follow, in all
 * cases, before the same @sql is run again. */
int db_query(struct db *db, struct db_row **ret, struct img_err *err,
	     const char *sql, const char *types, ...) IMG_MUST_USE;
/* 1 with a row, 0 at the end, <0 on failure. */
int db_next(struct db_row *row, struct img_err *err) IMG_MUST_USE;
int64_t db_int(struct db_row *row, int column);
/* Valid until the next db_next; NULL for NULL. */
const char *db_text(struct db_row *row, int column);
void db_row_end(struct db_row **row);

/* One integer: 1 with *ret set, 0 when there is no row (or NULL), <0. */
int db_get_int(struct db *db, int64_t *ret, struct img_err *err,
	       const char *sql, const char *types, ...) IMG_MUST_USE;

#endif
