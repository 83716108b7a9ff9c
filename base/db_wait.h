#ifndef IMG_BASE_DB_WAIT_H
#define IMG_BASE_DB_WAIT_H

/*
 * How a process waits for a database that others write to.
 *
 * SQLite has no queue: whoever asks when it is free has it.  Its own way of
 * waiting asks ever more seldom, up to ten times a second, so that among many
 * writers one that came early may be passed by all that come later, while for
 * most of the time nobody writes.  Here all ask at moments of their own, and
 * more seldom only slowly: a hundred that ask every few milliseconds would keep
 * the processor from the one who writes.
 */
#include <stdint.h>

struct db_wait {
	int64_t wait_ms; /* how long at most */
	int64_t until_ms;
};

/* A busy handler of SQLite's: @self is a struct db_wait.  Sleeps for up to 16
 * ms at first, and never for more than 100; 0 once its time is up. */
int db_wait_turn(void *self, int tries);

#endif
