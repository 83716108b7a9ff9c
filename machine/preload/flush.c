/*
 * A read() for linux.uml that lets its disk's flushes reach the host.
 *
 * A request of User-Mode Linux's block driver goes to its I/O thread as a
 * pointer through a pipe; the thread carries out as many pieces as the request
 * counts.  A flush counts none, so the code that would sync the file is never
 * reached (seen in Linux 6.1): the guest's file systems believe that their
 * journals are safe, and a power cut on the host can tear the state disk.
 * Here each flush that the I/O thread reads is made to count one piece; the
 * driver then does the rest itself, and passes a failure on.
 *
 * Another version's requests may be laid out otherwise.  All fields that are
 * known of a flush are compared first; on any difference nothing is touched,
 * and the disk is as safe as that version makes it.
 */
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

ssize_t read(int fd, void *buf, size_t count);

/* Begins what the driver calls struct io_thread_req. */
struct request {
	void *block_request;
	int fds[2]; /* the same twice, without copy-on-write */
	unsigned long offsets[2];
	unsigned long long offset;
	int sector_bytes;
	int error;
	int pieces;
};

/* What the thread asks for in one read: so many pointers. */
#define BATCH (64 * sizeof(void *))

static pid_t main_pid;

static void __attribute__((constructor)) remember_main_process(void)
{
	main_pid = getpid();
}

static int is_flush(const struct request *request)
{
	return request->pieces == 0 && request->error == 0 &&
	       request->sector_bytes == 512 &&
	       request->fds[0] == request->fds[1] && request->fds[0] > 2 &&
	       request->offsets[0] == 0 && request->offsets[1] == 0;
}

ssize_t read(int fd, void *buf, size_t count)
{
	ssize_t n = syscall(SYS_read, fd, buf, count);
	struct request **requests = buf;

	/* The I/O thread has the memory, but not the pid, of the kernel. */
	if (count != BATCH || n <= 0 || (size_t)n % sizeof(void *) != 0 ||
	    getpid() == main_pid)
		return n;
	for (size_t i = 0; i < (size_t)n / sizeof(void *); i++)
		if (is_flush(requests[i]))
			requests[i]->pieces = 1;
	return n;
}
