#ifndef IMG_RUNTIME_LOG_H
#define IMG_RUNTIME_LOG_H

/*
 * A container's log: what its monitor writes, in lines of JSON as docker's
 * json-file has them, so that what reads those reads these:
 *
 *	{"log":"text\n","stream":"stdout","time":"2026-01-02T03:04:05.678901234Z"}
 *
 * A line longer than LOG_TEXT_MAX is several entries, of which only the last
 * ends in "\n".  Bytes that are no UTF-8 become U+FFFD.  A file is never
 * longer than it may be, or else one entry: before an entry that would not fit
 * it is renamed to "<path>.1", that to "<path>.2", and the last is dropped.
 */
#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

#define LOG_TEXT_MAX ((size_t)16 * 1024)
/* The longest entry: every byte six times, and what is around it. */
#define LOG_ENTRY_MAX (LOG_TEXT_MAX * 6 + 128)

/* What a log may take up where nobody says otherwise. */
#define LOG_BYTES_DEFAULT (UINT64_C(10) << 20)
#define LOG_FILES_DEFAULT 3u
#define LOG_BYTES_MIN	  UINT64_C(4096)
#define LOG_FILES_MAX	  100u

enum log_stream { LOG_STDOUT, LOG_STDERR };

struct log;

struct log_limits {
	uint64_t max_bytes; /* of one file, LOG_BYTES_MIN or more */
	unsigned max_files; /* 1 or more */
};

/**
 * log_open - go on with a log, or begin it
 * @path: mode 0640 where it is made
 *
 * An entry that a crash cut short is ended, so that it spoils no other.
 */
int log_open(const char *path, const struct log_limits *limits,
	     struct log **ret, struct img_err *err) IMG_MUST_USE;

/**
 * log_write - what came out of one of the container's streams
 *
 * Whole lines are written at once, the beginning of one when it ends or grows
 * too long.  What cannot be written, because the disk is full, is lost; the
 * first entry that can be written again says how many bytes were.
 */
void log_write(struct log *log, enum log_stream stream, const char *bytes,
	       size_t n);

/* Writes what has no end, and closes; not synced. */
void log_close(struct log **log);

/* "<path>.<n>" or, for 0, @path; the caller frees it. */
char *log_name(const char *path, unsigned n) IMG_MUST_USE;

#endif
