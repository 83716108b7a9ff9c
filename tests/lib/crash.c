#include "tests/lib/crash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define STEPS_MAX 2000

/* What the process at work tells, as far as it gets. */
struct report {
	int r;
	unsigned steps;
	char message[480];
};

static void work(const struct crash_test *test, struct crash_case *c,
		 enum fault fault, unsigned n, struct report *report)
{
	struct store *store = NULL;
	struct img_err err = { 0 };

	if (!test->prepare_dir) {
		if (store_open(&c->t->options, &store, &err) < 0)
			_exit(2);
	}
	fault_arm(fault, n);
	report->r = test->run(c, store, &err);
	report->steps = fault_disarm();
	(void)snprintf(report->message, sizeof(report->message), "%s", err.msg);
	store_close(&store);
	if (report->r < 0 &&
	    (err.code != (enum img_code) - report->r || !err.msg[0]))
		_exit(3);
	_exit(report->r > 0 ? 4 : 0);
}

static enum crash_end run_apart(const struct crash_test *test,
				struct crash_case *c, enum fault fault,
				unsigned n, struct report *report)
{
	pid_t pid;
	int status;

	*report = (struct report){ 0 };
	(void)fflush(NULL); /* or a child would print it again */
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		work(test, c, fault, n, report);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == FAULT_KILLED)
		return CRASH_DIED;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail_msg("step %u: the process ended with status %#x: %s", n,
			 (unsigned)status, report->message);
	c->message = report->message;
	return report->r == 0 ? CRASH_DONE : CRASH_FAILED;
}

/* Returns false once the operation has fewer steps than @n. */
static bool at_step(const struct crash_test *test, enum fault fault, unsigned n,
		    struct report *report)
{
	struct temp_store t;
	struct crash_case c = { .t = &t };
	struct store *store = NULL;
	enum crash_end end;

	temp_store_init(&t);
	if (test->prepare_dir) {
		test->prepare_dir(&c);
	} else {
		store = temp_store_open(&t);
		test->prepare(&c, store);
		store_close(&store);
	}
	end = run_apart(test, &c, fault, n, report);
	store = temp_store_open(&t);
	test->check(&c, store, end);
	store_close(&store);
	temp_store_release(&t);
	return end == CRASH_DIED || report->steps >= n;
}

unsigned crash_at_every_step(const struct crash_test *test, enum fault fault)
{
	struct report *report =
		mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned n = 1;

	assert_true(report != MAP_FAILED);
	while (n < STEPS_MAX && at_step(test, fault, n, report))
		n++;
	assert_true(n > 1 && n < STEPS_MAX);
	/* Without a fault it works. */
	assert_int_equal(report->r, 0);
	assert_int_equal(munmap(report, sizeof(*report)), 0);
	return n - 1;
}
