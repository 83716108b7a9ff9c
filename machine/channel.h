#ifndef IMG_MACHINE_CHANNEL_H
#define IMG_MACHINE_CHANNEL_H

/*
 * What host and guest share: a few pages of memory, and a serial line whose
 * bytes mean nothing but "look at the memory".
 *
 * The memory is a memfd on the host.  The kernel takes it as an I/O memory
 * region (iomem=mmapper,FILE) and gives it to user space as /dev/mmapper; both
 * sides map the same pages.  A serial line alone would do one byte a system
 * call inwards, 1.4 MB/s; this way the streams run at memory's speed.
 *
 * Layout: struct channel_page in page 0, three rings' data after it, then the
 * job's bytes.
 */
#include "base/err.h"
#include "machine/flow.h"
#include "machine/ring.h"

enum channel_stream { CHANNEL_STDIN, CHANNEL_STDOUT, CHANNEL_STDERR };
#define CHANNEL_STREAMS 3

enum channel_phase {
	CHANNEL_BOOTING,
	CHANNEL_RUNNING, /* pid 1 is there and has read the job */
	CHANNEL_DONE,	 /* status and err stand; state disk unmounted */
};

struct channel_page {
	char magic[8];
	uint32_t job_size;
	/* Set by a side before it sleeps, cleared by whoever wakes it. */
	_Atomic uint32_t host_asleep, guest_asleep;
	_Atomic uint32_t window;  /* rows << 16 | columns, host to guest */
	_Atomic uint64_t signals; /* bit N: signal N, host to guest */
	_Atomic uint32_t phase;	  /* enum channel_phase, guest to host */
	int32_t status;		  /* what the host should exit with */
	struct img_err err;	  /* why the machine failed, code 0 if not */
	struct ring rings[CHANNEL_STREAMS];
};

struct channel {
	struct channel_page *page; /* NULL: not mapped */
	int line_fd;		   /* this side of the serial line */
	_Atomic uint32_t *asleep, *peer_asleep; /* in the page */
};

/**
 * channel_create - the host's side, with a job in it
 * @ret_memory_fd: the memfd, for the kernel's command line; the caller's
 * @line_fd: the host's end of the serial line, non-blocking; stays the caller's
 */
int channel_create(const void *job, size_t job_size, int line_fd,
		   struct channel *ret, int *ret_memory_fd,
		   struct img_err *err) IMG_MUST_USE;

/**
 * channel_attach - the guest's side
 * @ret_job: the job's bytes, which the caller frees
 */
int channel_attach(int memory_fd, int line_fd, struct channel *ret,
		   char **ret_job, size_t *ret_job_size,
		   struct img_err *err) IMG_MUST_USE;

void channel_release(struct channel *channel);

struct ring_end channel_ring(const struct channel *channel,
			     enum channel_stream stream);

/* Wakes the other side if it sleeps; after each change of the memory. */
void channel_ring_bell(const struct channel *channel);

/**
 * channel_wait - move bytes once
 * @flows: CHANNEL_STREAMS of them
 * @others: further descriptors to poll, their revents filled
 *
 * Waits until a flow can move, the other side rings, one of @others is ready,
 * or @timeout_ms passed, and moves what can be moved.  Returns false when the
 * line is closed: the other side is gone.
 */
bool channel_wait(const struct channel *channel, struct flow *flows,
		  struct pollfd *others, size_t n_others, int timeout_ms);

#endif
