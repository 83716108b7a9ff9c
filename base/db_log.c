#include "base/db_log.h"

#include <stdbool.h>
#include <string.h>
#include <unistd.h>

/* https://www.sqlite.org/fileformat2.html#the_write_ahead_log */
#define LOG_HEADER_BYTES 32
#define FRAME_BYTES	 (24 + 4096)

/* Each page of memory that is touched has its price, as each read has. */
#define AHEAD_BYTES (8 * FRAME_BYTES)

static struct {
	bool active;
	int fd;
	off_t next; /* where the next frame begins */
	off_t from; /* of what is in data */
	size_t len;
	char data[AHEAD_BYTES];
} run;

static ssize_t next_frame(void *buf)
{
	size_t at = (size_t)(run.next - run.from);
	ssize_t n;

	if (at >= run.len) { /* whole frames: one is there or is not */
		n = pread(run.fd, run.data, sizeof(run.data), run.next);
		if (n < 0)
			return n;
		run.from = run.next;
		run.len = (size_t)n;
		at = 0;
	}
	if (run.len - at < FRAME_BYTES) { /* the end, or a short read */
		run.active = false;
		return pread(run.fd, buf, FRAME_BYTES, run.next);
	}
	memcpy(buf, run.data + at, FRAME_BYTES);
	run.next += FRAME_BYTES;
	return FRAME_BYTES;
}

ssize_t db_log_pread(int fd, void *buf, size_t size, off_t offset)
{
	if (run.active && fd == run.fd && size == FRAME_BYTES &&
	    offset == run.next)
		return next_frame(buf);
	run.active = size == LOG_HEADER_BYTES && offset == 0;
	if (run.active) {
		run.fd = fd;
		run.next = LOG_HEADER_BYTES;
		run.len = 0;
		run.from = 0;
	}
	return pread(fd, buf, size, offset);
}
