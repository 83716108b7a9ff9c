#include "tests/lib/fault.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct {
	bool armed;
	enum fault fault;
	unsigned due, steps, paused;
} plan;

void fault_arm(enum fault fault, unsigned n)
{
	plan.armed = true;
	plan.fault = fault;
	plan.due = n;
	plan.steps = 0;
}

unsigned fault_disarm(void)
{
	plan.armed = false;
	return plan.steps;
}

bool fault_is_due(void)
{
	if (!plan.armed || plan.paused)
		return false;
	if (++plan.steps != plan.due)
		return false;
	if (plan.fault == FAULT_KILL)
		_exit(FAULT_KILLED);
	return true;
}

void fault_pause(void)
{
	plan.paused++;
}

void fault_go_on(void)
{
	plan.paused--;
}

static int failed(void)
{
	errno = EIO;
	return -1;
}

/* The C library's own function of a name. */
static void *next(const char *name)
{
	void *p = dlsym(RTLD_NEXT, name);

	if (!p)
		abort();
	return p;
}

static bool is_log(int fd)
{
	char link[32], path[512];
	ssize_t n;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path));
	return n > 4 && memcmp(path + n - 4, "-wal", 4) == 0;
}

static bool log_was_written;

bool fault_log_is_synced(void)
{
	return !log_was_written;
}

ssize_t pwrite64(int fd, const void *buf, size_t size, off64_t offset)
{
	static ssize_t (*real)(int, const void *, size_t, off64_t);

	if (!real)
		*(void **)&real = next("pwrite64");
	if (fault_is_due())
		return failed();
	log_was_written |= is_log(fd);
	return real(fd, buf, size, offset);
}

int ftruncate64(int fd, off64_t size)
{
	static int (*real)(int, off64_t);

	if (!real)
		*(void **)&real = next("ftruncate64");
	return fault_is_due() ? failed() : real(fd, size);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	static int (*real)(int, const char *, int, const char *);

	if (!real)
		*(void **)&real = next("renameat");
	return fault_is_due() ? failed() : real(from_dir, from, to_dir, to);
}

static int sync_file(int fd)
{
	if (fault_is_due())
		return failed();
	log_was_written &= !is_log(fd);
	return 0;
}

int fsync(int fd)
{
	return sync_file(fd);
}

int fdatasync(int fd)
{
	return sync_file(fd);
}
