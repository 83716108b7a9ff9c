/* The preloaded ptrace(), here in place of libc's own. */
#include "machine/preload/ptrace.c"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cmocka.h>

#define STATE_MAX 65536

static char before[STATE_MAX], after[STATE_MAX];

static pid_t stopped_child(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		(void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		(void)raise(SIGSTOP);
		_exit(7);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return pid;
}

static void let_go(pid_t pid)
{
	int status;

	assert_int_equal(ptrace(PTRACE_DETACH, pid, NULL, NULL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
}

static size_t get(pid_t pid, char *state)
{
	struct iovec all = { state, STATE_MAX };

	assert_int_equal(
		ptrace(PTRACE_GETREGSET, pid, (void *)NT_X86_XSTATE, &all), 0);
	return all.iov_len;
}

/* Whatever the processor: a set that lacks the last component is too short
 * for the host's kernel, as linux.uml's is where there is AMX. */
static void a_short_set_is_widened(void **state)
{
	pid_t pid = stopped_child();
	size_t size = get(pid, before);
	struct iovec part = { before, size - 64 };

	assert_int_equal(syscall(SYS_ptrace, PTRACE_SETREGSET, pid,
				 NT_X86_XSTATE, &part),
			 -1);
	assert_int_equal(errno, EFAULT);
	for (int i = 0; i < 3; i++)
		assert_int_equal(ptrace(PTRACE_SETREGSET, pid,
					(void *)NT_X86_XSTATE, &part),
				 0);
	assert_int_equal(get(pid, after), size);
	assert_memory_equal(before, after, 576); /* x87, SSE and the header */
	let_go(pid);
}

static void a_whole_set_passes_unchanged(void **state)
{
	pid_t pid = stopped_child();
	size_t size = get(pid, before);
	struct iovec all = { before, size };

	assert_int_equal(
		ptrace(PTRACE_SETREGSET, pid, (void *)NT_X86_XSTATE, &all), 0);
	assert_int_equal(get(pid, after), size);
	assert_memory_equal(before, after, size);
	let_go(pid);
}

/* Traces a child as linux.uml does, and lets it go on; says its number. */
static void __attribute__((noreturn)) trace(int request, int say_fd)
{
	pid_t pid = stopped_child();

	if (ptrace(request, pid, NULL, (void *)PTRACE_O_TRACESYSGOOD) < 0 ||
	    write(say_fd, &pid, sizeof(pid)) != sizeof(pid))
		_exit(1);
	for (;;)
		(void)pause();
}

static void a_child_does_not_go_on_without_its_tracer(void **state)
{
	static const int requests[] = { PTRACE_SETOPTIONS, OLD_SETOPTIONS };

	/* Whoever is left alone is ours. */
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		int ends[2], status;
		pid_t tracer, child;

		assert_int_equal(pipe(ends), 0);
		tracer = fork();
		assert_true(tracer >= 0);
		if (tracer == 0)
			trace(requests[i], ends[1]);
		assert_int_equal(read(ends[0], &child, sizeof(child)),
				 sizeof(child));
		assert_int_equal(kill(tracer, SIGKILL), 0);
		assert_int_equal(waitpid(tracer, &status, 0), tracer);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status)); /* else it exits with 7 */
		assert_int_equal(WTERMSIG(status), SIGKILL);
		(void)close(ends[0]);
		(void)close(ends[1]);
	}
}

static void peeking_returns_the_word(void **state)
{
	static long word = -1;
	pid_t pid = stopped_child();

	errno = EINVAL;
	assert_int_equal(ptrace(PTRACE_PEEKDATA, pid, &word, NULL), -1);
	assert_int_equal(errno, 0);
	assert_int_equal(ptrace(PTRACE_PEEKDATA, pid, NULL, NULL), -1);
	assert_int_equal(errno, EIO);
	let_go(pid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_short_set_is_widened),
		cmocka_unit_test(a_whole_set_passes_unchanged),
		cmocka_unit_test(a_child_does_not_go_on_without_its_tracer),
		cmocka_unit_test(peeking_returns_the_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
