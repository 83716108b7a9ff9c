/*
 * A ptrace() for linux.uml, whose processes end with it, and which knows all
 * registers of this processor.
 *
 * Each address space of a guest is a process of the host, whose system calls
 * linux.uml catches.  When User-Mode Linux 6.1 is killed they are let go of,
 * and go on: what was meant for the guest's files then is done to the host's.
 * Here they are killed at once, by PTRACE_O_EXITKILL.
 *
 * linux.uml keeps 2.7 kB for a process's extended registers.  Where the
 * processor has AMX they take 11 kB, and the host's kernel refuses to set less
 * than all of them: PTRACE_SETREGSET with NT_X86_XSTATE is EFAULT, and the
 * machine panics.  Here the set is widened: what linux.uml gives, then zeros.
 * Zeros are right, because a component whose bit in the XSAVE header is clear
 * is in its initial state whatever its bytes, and a guest's process never gets
 * a component that lies beyond the part that linux.uml has seen: AMX must be
 * asked for by arch_prctl, which the guest's kernel does not know.
 *
 * Built alone into a shared object, and preloaded into linux.uml only.
 */
#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define OLD_SETOPTIONS 21 /* PTRACE_OLDSETOPTIONS of asm/ptrace-abi.h */

long ptrace(enum __ptrace_request request, ...);

static char whole[1 << 16] __attribute__((aligned(64)));
static size_t whole_size;  /* what this host wants; 0: not asked yet */
static size_t filled_size; /* of it, not zero */

static long call(long request, pid_t pid, void *addr, void *data)
{
	return syscall(SYS_ptrace, request, pid, addr, data);
}

static long set_xstate(pid_t pid, void *addr, struct iovec *given)
{
	struct iovec widened = { .iov_base = whole };

	if (!whole_size) {
		struct iovec all = { whole, sizeof(whole) };

		if (call(PTRACE_GETREGSET, pid, addr, &all) < 0)
			return -1;
		memset(whole, 0, all.iov_len);
		whole_size = all.iov_len;
	}
	if (given->iov_len >= whole_size)
		return call(PTRACE_SETREGSET, pid, addr, given);
	if (given->iov_len < filled_size)
		memset(whole + given->iov_len, 0, filled_size - given->iov_len);
	filled_size = given->iov_len;
	memcpy(whole, given->iov_base, given->iov_len);
	widened.iov_len = whole_size;
	return call(PTRACE_SETREGSET, pid, addr, &widened);
}

static long set_options(long request, pid_t pid, void *addr, void *options)
{
	return syscall(SYS_ptrace, request, pid, addr,
		       (uintptr_t)options | PTRACE_O_EXITKILL);
}

/* The system call stores a word where the library function returns it. */
static long peek(long request, pid_t pid, void *addr)
{
	long word = 0;

	if (call(request, pid, addr, &word) < 0)
		return -1;
	errno = 0;
	return word;
}

long ptrace(enum __ptrace_request request, ...)
{
	void *addr, *data;
	va_list ap;
	pid_t pid;

	va_start(ap, request);
	pid = va_arg(ap, pid_t);
	addr = va_arg(ap, void *);
	data = va_arg(ap, void *);
	va_end(ap);
	if (request == PTRACE_SETREGSET && (long)addr == NT_X86_XSTATE)
		return set_xstate(pid, addr, data);
	if (request == PTRACE_SETOPTIONS || request == OLD_SETOPTIONS)
		return set_options(request, pid, addr, data);
	if (request == PTRACE_PEEKTEXT || request == PTRACE_PEEKDATA ||
	    request == PTRACE_PEEKUSER)
		return peek(request, pid, addr);
	return call(request, pid, addr, data);
}
