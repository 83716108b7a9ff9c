#include "machine/flow.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

/* A write of PIPE_BUF is all that POLLOUT promises not to block on a
 * descriptor that blocks; a regular file never blocks for long. */
static size_t chunk_of(int fd, bool nonblocking)
{
	struct stat st;

	if (nonblocking || (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)))
		return RING_BYTES;
	return PIPE_BUF;
}

void flow_init(struct flow *flow, enum flow_direction direction, int fd,
	       struct ring_end end, bool owns_fd)
{
	*flow = (struct flow){
		.end = end,
		.direction = direction,
		.fd = fd,
		.owns_fd = owns_fd,
		.chunk = direction == FLOW_IN ? RING_BYTES
					      : chunk_of(fd, owns_fd),
	};
}

void flow_stop(struct flow *flow)
{
	if (flow->fd < 0)
		return;
	if (flow->owns_fd)
		(void)close(flow->fd); /* nothing is buffered in it */
	flow->fd = -1;
	if (flow->direction == FLOW_IN)
		atomic_store(&flow->end.ring->ended, 1);
	else
		atomic_store(&flow->end.ring->closed, 1);
}

/* True when the other side has finished, so that this one does too. */
static bool other_side_done(const struct flow *flow)
{
	if (flow->direction == FLOW_IN)
		return atomic_load(&flow->end.ring->closed);
	return ring_is_drained(&flow->end);
}

bool flow_prepare(struct flow *flow, struct pollfd *ret)
{
	const unsigned char *from;
	unsigned char *to;

	*ret = (struct pollfd){ .fd = -1 };
	if (flow->fd < 0)
		return false;
	if (other_side_done(flow)) {
		flow_stop(flow);
		return true;
	}
	if (flow->paused)
		return false;
	/* With no events asked, POLLERR would still be reported, for ever. */
	if (flow->direction == FLOW_IN && ring_space(&flow->end, &to))
		*ret = (struct pollfd){ .fd = flow->fd, .events = POLLIN };
	if (flow->direction == FLOW_OUT && ring_peek(&flow->end, &from))
		*ret = (struct pollfd){ .fd = flow->fd, .events = POLLOUT };
	return false;
}

static ssize_t move_in(struct flow *flow)
{
	unsigned char *to = NULL;
	size_t room = ring_space(&flow->end, &to);
	ssize_t n = read(flow->fd, to, room < flow->chunk ? room : flow->chunk);

	if (n > 0)
		ring_produce(&flow->end, (size_t)n);
	return n;
}

static ssize_t move_out(struct flow *flow)
{
	const unsigned char *from = NULL;
	size_t size = ring_peek(&flow->end, &from);
	ssize_t n =
		write(flow->fd, from, size < flow->chunk ? size : flow->chunk);

	if (n > 0)
		ring_consume(&flow->end, (size_t)n);
	return n;
}

bool flow_move(struct flow *flow, const struct pollfd *polled)
{
	ssize_t n;

	if (flow->fd < 0 || polled->fd != flow->fd || !polled->revents)
		return false;
	n = flow->direction == FLOW_IN ? move_in(flow) : move_out(flow);
	if (n > 0)
		return true;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	/* A pty whose other end is gone says EIO where a pipe ends. */
	if (n < 0 && !(flow->direction == FLOW_IN && errno == EIO))
		flow->error = errno;
	flow_stop(flow);
	return true;
}
