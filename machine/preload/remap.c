/*
 * mmap64(), munmap() and mprotect() for linux.uml, which unmaps most pages only
 * to map them again.
 *
 * When User-Mode Linux 6.1 has freed some of its virtual memory (vfree), and
 * now and then it does so for every filter of system calls that goes with its
 * process, it brings the host's mappings of all of that memory up to date: each
 * page is unmapped, and mapped again just as it was.  That is three thousand
 * system calls, and a sixth of the time of a container that does nothing.
 *
 * Here a page that is to be unmapped waits for the next call.  If that call
 * maps the same again, both come to nothing; else it is unmapped then.
 * Meanwhile linux.uml could still use what it has just freed, and it has no
 * reason to.
 *
 * What is mapped where is only known of pages that were mapped one way (shared,
 * and where linux.uml said), and only as far as a small table goes; all else is
 * the host's to do, as ever.
 *
 * Built alone into a shared object, and preloaded into linux.uml only.
 */
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

void *mmap64(void *addr, size_t size, int prot, int flags, int fd, off_t off);

#define PAGE_BYTES ((uintptr_t)4096)
#define TABLE_SIZE ((uintptr_t)65536) /* pages: 256 MiB of virtual memory */

/* What is known of a page; the table has one place for each. */
struct known {
	uintptr_t number; /* of the page; 0: nothing is known */
	off_t offset;	  /* in the file */
	int fd;		  /* -1: nothing is mapped */
	short prot;
	short waits; /* it is to be unmapped */
};

static struct known table[TABLE_SIZE];
/* Only of the pages from this number up to that some may wait. */
static uintptr_t waiting, waiting_end;

/* A call in the middle of another, by an interrupt of linux.uml's, goes to the
 * host; and so does then the other, since the table is not to be trusted. */
static volatile int inside, disturbed;

static void *call_mmap(void *addr, size_t size, int prot, int flags, int fd,
		       off_t off)
{
	const long r = syscall(SYS_mmap, addr, size, prot, flags, fd, off);
	void *got;

	memcpy(&got, &r, sizeof(got));
	return got;
}

static struct known *place_of(uintptr_t number)
{
	return &table[number % TABLE_SIZE];
}

static struct known *look_up(uintptr_t number)
{
	struct known *known = place_of(number);

	return known->number == number ? known : NULL;
}

static void forget(uintptr_t from, uintptr_t to)
{
	if (to - from >= TABLE_SIZE) {
		for (uintptr_t i = 0; i < TABLE_SIZE; i++)
			if (table[i].number >= from && table[i].number < to)
				table[i].number = 0;
		return;
	}
	for (uintptr_t i = from; i < to; i++)
		if (look_up(i))
			place_of(i)->number = 0;
}

/* Unmaps what waits. */
static void settle(void)
{
	for (uintptr_t i = waiting, end; i < waiting_end; i = end) {
		end = i + 1;
		if (!look_up(i) || !look_up(i)->waits)
			continue;
		while (end < waiting_end && look_up(end) && look_up(end)->waits)
			end++;
		(void)syscall(SYS_munmap, i * PAGE_BYTES,
			      (end - i) * PAGE_BYTES);
		for (uintptr_t gone = i; gone < end; gone++)
			*look_up(gone) =
				(struct known){ .number = gone, .fd = -1 };
	}
	waiting = waiting_end = 0;
}

static int begin(void)
{
	if (inside) {
		disturbed = 1;
		return 0;
	}
	inside = 1;
	return 1;
}

/* False: what was done counts for nothing, and has to be done by the host. */
static int end(void)
{
	int good = !disturbed;

	if (!good)
		forget(0, UINTPTR_MAX);
	disturbed = 0;
	inside = 0;
	return good;
}

/* Pages of a call's; where it names parts of some, nothing is made of it. */
struct span {
	uintptr_t from, to; /* numbers */
	int whole;
};

static struct span span_of(const void *addr, size_t size)
{
	uintptr_t start = (uintptr_t)addr;

	return (struct span){
		.from = start / PAGE_BYTES,
		.to = (start + size + PAGE_BYTES - 1) / PAGE_BYTES,
		.whole = start % PAGE_BYTES == 0 && size % PAGE_BYTES == 0 &&
			 size / PAGE_BYTES < TABLE_SIZE,
	};
}

static int all_are_known(const struct span *span)
{
	for (uintptr_t i = span->from; i < span->to; i++)
		if (!look_up(i))
			return 0;
	return 1;
}

static int unmap(void *addr, size_t size)
{
	const struct span span = span_of(addr, size);

	settle();
	if (!span.whole || !all_are_known(&span)) {
		int r = (int)syscall(SYS_munmap, addr, size);

		forget(span.from, span.to);
		for (uintptr_t i = span.from;
		     r == 0 && span.whole && i < span.to; i++)
			*place_of(i) = (struct known){ .number = i, .fd = -1 };
		return r;
	}
	for (uintptr_t i = span.from; i < span.to; i++)
		look_up(i)->waits = look_up(i)->fd >= 0;
	waiting = span.from;
	waiting_end = span.to;
	return 0;
}

static int is_mapped_so(const struct span *span, int prot, int fd, off_t off)
{
	for (uintptr_t i = span->from; i < span->to; i++) {
		const struct known *known = look_up(i);

		if (!known || known->fd != fd || known->prot != prot ||
		    known->offset !=
			    off + (off_t)((i - span->from) * PAGE_BYTES))
			return 0;
	}
	return 1;
}

/* Whatever else waits is unmapped before its places in the table are taken. */
static void *map(void *addr, size_t size, int prot, int fd, off_t off)
{
	const struct span span = span_of(addr, size);
	const int flags = MAP_SHARED | MAP_FIXED;
	void *got = addr;

	if (!span.whole || !is_mapped_so(&span, prot, fd, off)) {
		settle();
		got = call_mmap(addr, size, prot, flags, fd, off);
		forget(span.from, span.to);
	}
	for (uintptr_t i = span.from;
	     got != MAP_FAILED && span.whole && i < span.to; i++)
		*place_of(i) = (struct known){
			.number = i,
			.offset = off + (off_t)((i - span.from) * PAGE_BYTES),
			.fd = fd,
			.prot = (short)prot,
		};
	return got;
}

/* Wherever it will be. */
static void *map_other(void *addr, size_t size, int prot, int flags, int fd,
		       off_t off)
{
	void *got;

	settle();
	got = call_mmap(addr, size, prot, flags, fd, off);
	if (got != MAP_FAILED)
		forget(span_of(got, size).from, span_of(got, size).to);
	return got;
}

void *mmap64(void *addr, size_t size, int prot, int flags, int fd, off_t off)
{
	const int fixed = flags == (MAP_SHARED | MAP_FIXED);
	void *got;

	if (!begin())
		return call_mmap(addr, size, prot, flags, fd, off);
	got = fixed ? map(addr, size, prot, fd, off)
		    : map_other(addr, size, prot, flags, fd, off);
	if (!end() && fixed)
		return call_mmap(addr, size, prot, flags, fd, off);
	return got;
}

int munmap(void *addr, size_t size)
{
	int r;

	if (!begin())
		return (int)syscall(SYS_munmap, addr, size);
	r = unmap(addr, size);
	return end() ? r : (int)syscall(SYS_munmap, addr, size);
}

int mprotect(void *addr, size_t size, int prot)
{
	const struct span span = span_of(addr, size);

	if (begin()) {
		settle();
		forget(span.from, span.to);
		(void)end();
	}
	return (int)syscall(SYS_mprotect, addr, size, prot);
}
