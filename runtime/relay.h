#ifndef IMG_RUNTIME_RELAY_H
#define IMG_RUNTIME_RELAY_H

/*
 * The user's terminal while a container has its own: raw, so that every key
 * goes through, and carried in both directions.
 */
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

/* Bytes on their way in one direction. */
struct flow {
	int from, to; /* -1 once that side is closed */
	size_t begin, end;
	char buf[4096];
};

struct relay {
	int master;
	bool raw; /* stdin is a terminal, and @saved what it was */
	struct termios saved;
	struct flow in, out;
};

/* Gives @master the size of the user's terminal, if there is one on stdin,
 * stdout or stderr. */
void relay_copy_size(int master);

/**
 * relay_begin - relay between stdio and @master
 * @master: non-blocking; borrowed
 * @with_stdin: relay stdin too, and make it raw if it is a terminal
 *
 * relay_end must follow.
 */
void relay_begin(struct relay *relay, int master, bool with_stdin);

/**
 * relay_move - wait for bytes or for @wake, and move bytes
 * @wake: a descriptor to wait for as well
 * @ret_woken: whether it can be read
 *
 * A stdin that ends ends only that direction.  A stdout that is gone is
 * drained into nothing, so that the container is not stopped by it.
 */
int relay_move(struct relay *relay, int wake, bool *ret_woken,
	       struct img_err *err) IMG_MUST_USE;

/* Moves what a dead container still had to say to stdout. */
void relay_drain(struct relay *relay);

/* Gives the user's terminal back as it was. */
void relay_end(struct relay *relay);

#endif
