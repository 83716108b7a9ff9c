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

/* Each fork copies the tables of all memory: what was freed need not be kept
 * out of use for quite so long. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "quarantine_size_mb=4";
}

static struct {
	unsigned step; /* 0: none is under test */
	enum fault fault;
} now;

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

	if (!test->prepare_dir)
		store = temp_store_open(c->t);
	fault_arm(fault, n);
	report->r = test->run(c, store, &err);
	report->steps = fault_disarm();
	(void)snprintf(report->message, sizeof(report->message), "%s", err.msg);
	store_close(&store);
	assert_true(report->r <= 0);
	if (report->r < 0) {
		assert_int_equal(report->r, -(int)err.code);
		assert_true(err.msg[0]);
	}
}

/* The next command meets a fault as well, somewhere in its recovery. */
static void recover_badly(struct crash_case *c, enum fault fault, unsigned n)
{
	struct store *store = NULL;
	struct img_err err = { 0 };

	fault_arm(fault, 1 + n * 5 % 32);
	IMG_IGNORE(store_open(&c->t->options, &store, &err)); /* it may */
	store_close(&store);
	(void)fault_disarm(); /* however far it came */
}

/* Only who may die needs a process of its own.  False when it died. */
static bool run_apart(const struct crash_test *test, struct crash_case *c,
		      unsigned n, struct report *report)
{
	pid_t pid;
	int status;

	(void)fflush(NULL); /* or a child would print it again */
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (test)
			work(test, c, FAULT_KILL, n, report);
		else
			recover_badly(c, FAULT_KILL, n);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == FAULT_KILLED)
		return false;
	assert_int_equal(WEXITSTATUS(status), 0);
	return true;
}

static enum crash_end run_and_recover(const struct crash_test *test,
				      struct crash_case *c, enum fault fault,
				      unsigned n, struct report *report)
{
	bool lived = true;

	*report = (struct report){ 0 };
	c->message = report->message;
	if (fault == FAULT_KILL) {
		lived = run_apart(test, c, n, report);
		(void)run_apart(NULL, c, n, report); /* dead or alive */
	} else {
		work(test, c, fault, n, report);
		recover_badly(c, fault, n);
	}
	if (!lived)
		return CRASH_DIED;
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
	end = run_and_recover(test, &c, fault, n, report);
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
	unsigned n;

	assert_true(report != MAP_FAILED);
	now.fault = fault;
	for (n = 1; n < STEPS_MAX; n++) {
		now.step = n;
		if (!at_step(test, fault, n, report))
			break;
	}
	now.step = 0;
	assert_true(n > 1 && n < STEPS_MAX);
	/* Without a fault it works. */
	assert_int_equal(report->r, 0);
	assert_int_equal(munmap(report, sizeof(*report)), 0);
	return n - 1;
}

void crash_every_way(const struct crash_test *test)
{
	(void)crash_at_every_step(test, FAULT_FAIL);
	(void)crash_at_every_step(test, FAULT_KILL);
}

int crash_teardown(void **state)
{
	if (now.step)
		print_error("with step %u %s\n", now.step,
			    now.fault == FAULT_KILL ? "fatal" : "failing");
	now.step = 0;
	return 0;
}
