#ifndef IMG_MACHINE_FLOW_H
#define IMG_MACHINE_FLOW_H

/*
 * One direction of one standard stream: between a file descriptor and a ring.
 * Host and guest use the same code, each for its side of the ring.
 *
 * A flow never blocks: it moves bytes only after poll() said so, and never
 * writes more at once than poll() promised, because the descriptor may be
 * shared with other processes and must stay as they set it.
 */
#include "machine/ring.h"

#include <poll.h>

enum flow_direction {
	FLOW_IN,  /* descriptor to ring */
	FLOW_OUT, /* ring to descriptor */
};

struct flow {
	struct ring_end end;
	enum flow_direction direction;
	int fd;	      /* -1 once the flow is done */
	bool owns_fd; /* close it then */
	bool paused;  /* leave the descriptor alone for now */
	size_t chunk; /* most bytes for one read or write */
	int error;    /* errno that ended it; 0 for an ordinary end */
};

/* @owns_fd: the descriptor was made for this flow and is non-blocking. */
void flow_init(struct flow *flow, enum flow_direction direction, int fd,
	       struct ring_end end, bool owns_fd);

/* Fills @ret with what to poll for, fd -1 for nothing.  Returns true when it
 * changed the ring: the other side must look. */
bool flow_prepare(struct flow *flow, struct pollfd *ret);

/* Moves what @polled allows; returns true when it changed the ring. */
bool flow_move(struct flow *flow, const struct pollfd *polled);

/* Ends the flow, telling the other side. */
void flow_stop(struct flow *flow);

static inline bool flow_is_done(const struct flow *flow)
{
	return flow->fd < 0;
}

#endif
