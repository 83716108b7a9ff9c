/*
 * The first process of a container with --init: it runs the command as its
 * child, passes signals on to it, reaps what is orphaned, and ends with the
 * command's status.
 *
 * A program of its own, without a C library (the image may have none, and
 * nothing is taken from it), of some kilobytes: it is part of img's program as
 * bytes, and executed from memory (runtime/reaper.h).
 */
#include "runtime/reaper/report.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define SIGNAL_BIT(number) ((uint64_t)1 << ((number)-1))
#define ALL_SIGNALS	   (~(uint64_t)0)

/* The kernel's way to begin a program: the stack holds argc, argv, a NULL, the
 * environment, a NULL. */
#if defined(__x86_64__)
__asm__(".globl _start\n"
	"_start:\n"
	"	xor %ebp, %ebp\n"
	"	mov %rsp, %rdi\n"
	"	and $-16, %rsp\n"
	"	call reaper_main\n"
	"	hlt\n");
#elif defined(__aarch64__)
__asm__(".globl _start\n"
	"_start:\n"
	"	mov x29, #0\n"
	"	mov x30, #0\n"
	"	mov x0, sp\n"
	"	bl reaper_main\n"
	"	brk #0\n");
#else
#error "this processor's system calls are not known here"
#endif

void reaper_main(char **stack) __attribute__((noreturn, used));

/* Five arguments are as many as are needed; the result or -errno. */
static long call(long number, long a, long b, long c, long d, long e)
{
#if defined(__x86_64__)
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10),
			   "r"(r8)
			 : "rcx", "r11", "memory");
	return result;
#else
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4)
			 : "memory");
	return x0;
#endif
}

static void __attribute__((noreturn)) leave(int status)
{
	for (;;)
		(void)call(SYS_exit_group, status, 0, 0, 0, 0);
}

static void set_mask(uint64_t mask)
{
	(void)call(SYS_rt_sigprocmask, SIG_SETMASK, (long)&mask, 0,
		   sizeof(mask), 0);
}

static void report(long error, const char *program)
{
	struct reaper_report told = { .error = (int32_t)-error };

	told.is_there =
		call(SYS_faccessat, AT_FDCWD, (long)program, 0, 0, 0) == 0;
	told.is_directory = call(SYS_openat, AT_FDCWD, (long)program,
				 O_PATH | O_DIRECTORY | O_CLOEXEC, 0, 0) >= 0;
	(void)call(SYS_write, REAPER_REPORT_FD, (long)&told, sizeof(told), 0,
		   0);
}

/*
 * The child.  All signals are blocked until its exec: to take the terminal
 * from a group in the background would stop it.
 */
static void __attribute__((noreturn))
become_command(char **argv, char **env, long parent)
{
	const int32_t group = (int32_t)call(SYS_getpid, 0, 0, 0, 0, 0);
	long error;

	(void)call(SYS_setpgid, 0, 0, 0, 0, 0);
	/* Keys that are signals are for the command; where there is no
	 * terminal, or none of ours, there are no such keys. */
	(void)call(SYS_ioctl, 0, TIOCSPGRP, (long)&group, 0, 0);
	/* Where the container has no process ids of its own nobody else would
	 * end this one with its parent. */
	(void)call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (call(SYS_getppid, 0, 0, 0, 0, 0) != parent)
		leave(1);
	set_mask(0);
	error = call(SYS_execve, (long)argv[REAPER_PROGRAM],
		     (long)(argv + REAPER_ARGV), (long)env, 0, 0);
	report(error, argv[REAPER_PROGRAM]);
	leave(1); /* nobody hears of it: img has an error to tell */
}

/* All that have ended; with the command's end, this one's. */
static void reap(long command)
{
	bool has_ended = false;
	int status = 0, of_command = 0;
	long pid;

	while ((pid = call(SYS_wait4, -1, (long)&status, WNOHANG, 0, 0)) > 0)
		if (pid == command) {
			has_ended = true;
			of_command = status;
		}
	if (has_ended)
		leave(WIFEXITED(of_command) ? WEXITSTATUS(of_command)
					    : 128 + WTERMSIG(of_command));
}

void reaper_main(char **stack)
{
	/* Those two are about this process's own use of the terminal, which it
	 * leaves alone: blocked, they stop nothing. */
	const uint64_t awaited =
		ALL_SIGNALS & ~(SIGNAL_BIT(SIGTTIN) | SIGNAL_BIT(SIGTTOU));
	char **argv = stack + 1;
	char **env = argv + (long)stack[0] + 1;
	const long self = call(SYS_getpid, 0, 0, 0, 0, 0);
	long command, number;

	if ((long)stack[0] <= REAPER_ARGV)
		leave(125);
	set_mask(ALL_SIGNALS);
	/* Its name is otherwise the number of a descriptor. */
	(void)call(SYS_prctl, PR_SET_NAME, (long)"init", 0, 0, 0);
	/* With the host's process ids it is not the one that orphans go to. */
	(void)call(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	(void)call(SYS_fcntl, REAPER_REPORT_FD, F_SETFD, FD_CLOEXEC, 0, 0);
	command = call(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (command == 0)
		become_command(argv, env, self);
	if (command < 0) {
		report(command, argv[REAPER_PROGRAM]);
		leave(1);
	}
	(void)call(SYS_close, REAPER_REPORT_FD, 0, 0, 0, 0);
	for (;;) {
		number = call(SYS_rt_sigtimedwait, (long)&awaited, 0, 0,
			      sizeof(awaited), 0);
		if (number == SIGCHLD)
			reap(command);
		else if (number > 0)
			/* It has not been reaped: the number is its own. */
			(void)call(SYS_kill, command, number, 0, 0, 0);
	}
}
