#include "machine/channel.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define MAGIC	     "imgmach1"
#define PAGE_BYTES   4096u
#define STREAM_BYTES (PAGE_BYTES + CHANNEL_STREAMS * RING_BYTES)
#define MAX_OTHERS   4
/* A lost bell costs this much, not the machine. */
#define MAX_SLEEP_MS 1000

_Static_assert(sizeof(struct channel_page) <= PAGE_BYTES, "one page");

/* The shared pages, or NULL with @err filled. */
static struct channel_page *map(int memory_fd, struct img_err *err)
{
	void *at = mmap(NULL, STREAM_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
			memory_fd, 0);

	if (at == MAP_FAILED) {
		(void)img_err_sys(err, "cannot map the machine's channel");
		return NULL;
	}
	/* Else the guest copies page tables for every child. */
	(void)madvise(at, STREAM_BYTES, MADV_DONTFORK); /* only faster */
	return at;
}

int channel_create(const void *job, size_t job_size, int line_fd,
		   struct channel *ret, int *ret_memory_fd, struct img_err *err)
{
	img_auto(img_fd_release) int fd = -1;
	struct channel channel = { .line_fd = line_fd };
	int r;

	fd = memfd_create("img-machine", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, (off_t)(STREAM_BYTES + job_size)) < 0)
		return img_err_sys(err, "cannot make the machine's channel");
	r = file_pwrite(fd, job, job_size, STREAM_BYTES, "the machine's job",
			err);
	if (r < 0)
		return r;
	channel.page = map(fd, err);
	if (!channel.page)
		return -(int)err->code;
	memcpy(channel.page->magic, MAGIC, sizeof(channel.page->magic));
	channel.page->job_size = (uint32_t)job_size;
	channel.asleep = &channel.page->host_asleep;
	channel.peer_asleep = &channel.page->guest_asleep;
	*ret = channel;
	*ret_memory_fd = img_fd_take(&fd);
	return 0;
}

int channel_attach(int memory_fd, int line_fd, struct channel *ret,
		   char **ret_job, size_t *ret_job_size, struct img_err *err)
{
	img_auto(channel_release) struct channel channel = { .line_fd =
								     line_fd };
	img_auto(img_mem_release) char *job = NULL;
	size_t size;
	int r;

	channel.page = map(memory_fd, err);
	if (!channel.page)
		return -(int)err->code;
	if (memcmp(channel.page->magic, MAGIC, sizeof(channel.page->magic)) !=
	    0)
		return img_err_set(err, IMG_E_CORRUPT, 0,
				   "the machine's channel was made by another "
				   "version of img");
	size = channel.page->job_size;
	job = mem_alloc(size + 1);
	r = file_pread(memory_fd, job, size, STREAM_BYTES, "the machine's job",
		       err);
	if (r < 0)
		return r;
	channel.asleep = &channel.page->guest_asleep;
	channel.peer_asleep = &channel.page->host_asleep;
	*ret = channel;
	channel.page = NULL;
	*ret_job = img_mem_take(&job);
	*ret_job_size = size;
	return 0;
}

void channel_release(struct channel *channel)
{
	if (channel->page)
		(void)munmap(channel->page, STREAM_BYTES);
	channel->page = NULL;
}

struct ring_end channel_ring(const struct channel *channel,
			     enum channel_stream stream)
{
	return (struct ring_end){
		.ring = &channel->page->rings[stream],
		.data = (unsigned char *)channel->page + PAGE_BYTES +
			(size_t)stream * RING_BYTES,
	};
}

void channel_ring_bell(const struct channel *channel)
{
	static const char bell = '!';

	/* A full line, or a side that is gone, needs no bell. */
	if (atomic_exchange(channel->peer_asleep, 0))
		(void)!write(channel->line_fd, &bell, 1);
}

/* Swallows the bells; false at the end of the line. */
static bool hear_bells(int line_fd)
{
	char bells[64];
	ssize_t n = read(line_fd, bells, sizeof(bells));

	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

bool channel_wait(const struct channel *channel, struct flow *flows,
		  struct pollfd *others, size_t n_others, int timeout_ms)
{
	struct pollfd polled[CHANNEL_STREAMS + 1 + MAX_OTHERS];
	bool changed = false, alive = true;

	if (timeout_ms < 0 || timeout_ms > MAX_SLEEP_MS)
		timeout_ms = MAX_SLEEP_MS;
	/* First say that we sleep, then look: a change in between rings. */
	atomic_store(channel->asleep, 1);
	for (size_t i = 0; i < CHANNEL_STREAMS; i++)
		changed |= flow_prepare(&flows[i], &polled[i]);
	polled[CHANNEL_STREAMS] =
		(struct pollfd){ .fd = channel->line_fd, .events = POLLIN };
	for (size_t i = 0; i < n_others; i++)
		polled[CHANNEL_STREAMS + 1 + i] = others[i];
	if (changed)
		channel_ring_bell(channel);
	if (poll(polled, CHANNEL_STREAMS + 1 + n_others,
		 changed ? 0 : timeout_ms) < 0) {
		for (size_t i = 0; i < n_others; i++)
			others[i].revents = 0;
		return true; /* a signal: the caller looks and comes back */
	}
	atomic_store(channel->asleep, 0);
	if (polled[CHANNEL_STREAMS].revents)
		alive = hear_bells(channel->line_fd);
	changed = false;
	for (size_t i = 0; i < CHANNEL_STREAMS; i++)
		changed |= flow_move(&flows[i], &polled[i]);
	if (changed)
		channel_ring_bell(channel);
	for (size_t i = 0; i < n_others; i++)
		others[i].revents = polled[CHANNEL_STREAMS + 1 + i].revents;
	return alive;
}
