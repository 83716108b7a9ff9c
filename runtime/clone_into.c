#include "runtime/clone_into.h"

#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef CSIGNAL
#define CSIGNAL 0xff
#endif

/* Both return in the parent alone.  The child has an empty stack and the
 * parent's registers: it calls @fn and exits with what that returns. */
#if defined(__x86_64__)
static long clone3_call(struct clone_args *args, int (*fn)(void *), void *self)
{
	register int (*f)(void *) __asm__("r12") = fn;
	register void *s __asm__("r13") = self;
	long r;

	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "mov %%r13, %%rdi\n\t"
			 "call *%%r12\n\t"
			 "mov %%eax, %%edi\n\t"
			 "mov %[leave], %%eax\n\t"
			 "syscall\n\t"
			 "hlt\n"
			 "1:"
			 : "=a"(r)
			 : "0"((long)SYS_clone3), "D"(args), "S"(sizeof(*args)),
			   "r"(f), "r"(s), [leave] "i"(SYS_exit)
			 : "rcx", "r11", "cc", "memory");
	return r;
}
#elif defined(__aarch64__)
static long clone3_call(struct clone_args *args, int (*fn)(void *), void *self)
{
	register long nr __asm__("x8") = SYS_clone3;
	register long r __asm__("x0") = (long)args;
	register long size __asm__("x1") = sizeof(*args);
	register int (*f)(void *) __asm__("x20") = fn;
	register void *s __asm__("x21") = self;

	__asm__ volatile("svc #0\n\t"
			 "cbnz x0, 1f\n\t"
			 "mov x29, #0\n\t"
			 "mov x0, x21\n\t"
			 "blr x20\n\t"
			 "mov x8, %[leave]\n\t"
			 "svc #0\n"
			 "1:"
			 : "+r"(r)
			 : "r"(nr), "r"(size), "r"(f),
			   "r"(s), [leave] "i"(SYS_exit)
			 : "cc", "memory");
	return r;
}
#else
static long clone3_call(struct clone_args *args, int (*fn)(void *), void *self)
{
	return -ENOSYS; /* a container then runs in its starter's cgroup, or
			 * not at all where it has limits */
}
#endif

pid_t clone_into(const struct clone_plan *plan, int *ret_pidfd)
{
	struct clone_args args = {
		.flags =
			((uint64_t)(unsigned)plan->flags & ~(uint64_t)CSIGNAL) |
			CLONE_PIDFD | CLONE_INTO_CGROUP,
		.exit_signal = (unsigned)plan->flags & CSIGNAL,
		.pidfd = (uint64_t)(uintptr_t)ret_pidfd,
		.stack = (uint64_t)(uintptr_t)plan->stack,
		.stack_size = plan->stack_bytes,
		.cgroup = (uint64_t)(unsigned)plan->cgroup,
	};
	long r;

	if (plan->cgroup < 0)
		return clone(plan->fn, (char *)plan->stack + plan->stack_bytes,
			     plan->flags | CLONE_PIDFD, plan->self, ret_pidfd);
	r = clone3_call(&args, plan->fn, plan->self);
	if (r < 0) {
		errno = (int)-r;
		return -1;
	}
	return (pid_t)r;
}

pid_t clone_fork_into(int cgroup, int *ret_pidfd)
{
	struct clone_args args = {
		.flags = CLONE_PIDFD | CLONE_INTO_CGROUP,
		.exit_signal = SIGCHLD,
		.pidfd = (uint64_t)(uintptr_t)ret_pidfd,
		.cgroup = (uint64_t)(unsigned)cgroup,
	};

	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}
