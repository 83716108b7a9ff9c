#ifndef IMG_RUNTIME_LOG_READ_H
#define IMG_RUNTIME_LOG_READ_H

/*
 * Reading a log (runtime/log.h) from its oldest file on, while it may be
 * written to and its files renamed: nothing is read twice, and nothing is
 * missed but what was dropped before it could be read.  Lines that are no
 * entries are passed over.
 */
#include "runtime/log.h"

struct log_reader;

struct log_entry {
	const char *text; /* until the next call */
	size_t n;
	enum log_stream stream;
	int64_t time_ns; /* since 1970 */
	const char *time;
};

/**
 * log_reader_open - at the oldest entry there is
 *
 * A log that was never begun is empty.
 */
int log_reader_open(const char *path, struct log_reader **ret,
		    struct img_err *err) IMG_MUST_USE;
void log_reader_close(struct log_reader **reader);

/* Right after the opening: passes over all but the last @n lines. */
int log_reader_tail(struct log_reader *reader, uint64_t n,
		    struct img_err *err) IMG_MUST_USE;

/* 1 with the next entry, 0 when there is none yet. */
int log_reader_next(struct log_reader *reader, struct log_entry *ret,
		    struct img_err *err);

#endif
