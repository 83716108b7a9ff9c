#ifndef IMG_BASE_DB_LOG_H
#define IMG_BASE_DB_LOG_H

/*
 * How SQLite reads its log when it opens a database that nobody else has open:
 * the header, then each frame by a read of its own, up to the end.  Here they
 * are read many at a time.
 *
 * What always holds: only a read of the log's header, 32 bytes at 0, begins
 * such a run, under the lock that keeps all others from writing to the log;
 * the first read that is not of the next frame ends it, and nothing that was
 * read ahead is given out after that.
 */
#include <sys/types.h>

/* As pread(2), for SQLite to use in its place. */
ssize_t db_log_pread(int fd, void *buf, size_t size, off_t offset);

#endif
