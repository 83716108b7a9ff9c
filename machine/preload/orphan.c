/*
 * A clone() for linux.uml, whose helpers end with it.
 *
 * The disk of User-Mode Linux 6.1 is a process of its own on the host.  When
 * linux.uml is killed it stays, and keeps the guest's memory.  Whoever started
 * the machine sees to that, unless he was killed as well.  Here each child asks
 * the host to be killed with its parent.  (The guest's own processes are not
 * all begun this way: ptrace.c has them killed.)
 *
 * Built alone into a shared object, and preloaded into linux.uml only.
 */
#include <dlfcn.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

typedef int child_fn(void *arg);
typedef int clone_fn(child_fn *fn, void *stack, int flags, void *arg, ...);

/* On the child's stack: it may share the parent's memory, or not. */
struct birth {
	child_fn *fn;
	void *arg;
	pid_t parent;
} __attribute__((aligned(16)));

static int live(void *self)
{
	const struct birth *birth = self;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != birth->parent)
		_exit(1); /* it came too late */
	return birth->fn(birth->arg);
}

/* Nothing that linux.uml starts needs what may follow @arg. */
int clone(child_fn *fn, void *stack, int flags, void *arg, ...)
{
	static clone_fn *next;
	char *top = (char *)stack - (uintptr_t)stack % 16;
	struct birth *birth = (void *)(top - sizeof(*birth));
	void *symbol;

	if (!next) {
		symbol = dlsym(RTLD_NEXT, "clone");
		memcpy(&next, &symbol, sizeof(next)); /* ISO C has no cast */
	}
	*birth = (struct birth){ fn, arg, getpid() };
	return next(live, birth, flags, birth);
}
