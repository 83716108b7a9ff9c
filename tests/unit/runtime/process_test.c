#include "runtime/process.h"

#include "base/cleanup.h"
#include "tests/lib/made_cgroup.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define REST                                                                   \
	" S 7 42 42 %s 42 4194560 100 0 0 0 150 50 0 0 20 0 3 0 1000 "         \
	"8192 2 18446744073709551615 1 1 0 0"

static bool parse(const char *name, const char *tty, struct process *ret)
{
	char rest[256], text[512];

	(void)snprintf(rest, sizeof(rest), REST, tty);
	(void)snprintf(text, sizeof(text), "42 (%s)%s", name, rest);
	return process_parse_stat(text, 100, 5000000000, ret);
}

static void fields_come_after_the_last_bracket(void **state)
{
	struct process p = { 0 };

	assert_true(parse("a) R (b", "0", &p));
	assert_string_equal(p.name, "a) R (b");
	assert_int_equal(p.pid, 42);
	assert_int_equal(p.ppid, 7);
	assert_int_equal(p.state, 'S');
	assert_int_equal(p.cpu_ms, 2000);
	assert_int_equal(p.threads, 3);
	assert_int_equal(p.started_ns, 15000000000);
	assert_int_equal(p.virtual_bytes, 8192);
	assert_int_equal(p.resident_bytes, 2 * sysconf(_SC_PAGESIZE));
	assert_string_equal(p.tty, "?");
}

static void terminals_have_names(void **state)
{
	struct process p = { 0 };

	assert_true(parse("sh", "34819", &p)); /* 136:3 */
	assert_string_equal(p.tty, "pts/3");
	assert_true(parse("sh", "1025", &p)); /* 4:1 */
	assert_string_equal(p.tty, "tty1");
}

static void what_is_no_stat_is_refused(void **state)
{
	struct process p = { 0 };

	assert_false(process_parse_stat("", 100, 0, &p));
	assert_false(process_parse_stat("42 (sh", 100, 0, &p));
	assert_false(process_parse_stat(")42 sh(", 100, 0, &p));
	assert_false(process_parse_stat("42 (sh) S 1", 100, 0, &p));
}

static void ourselves(void **state)
{
	img_auto(process_release) struct process p = { 0 };
	struct img_err err = { 0 };

	assert_int_equal(process_read(getpid(), &p, &err), 1);
	assert_int_equal(p.pid, getpid());
	assert_int_equal(p.ppid, getppid());
	assert_int_equal(p.uid, getuid());
	assert_non_null(strstr(p.command, "process_test"));
	process_release(&p);
	assert_int_equal(process_read(0x7ffffff0, &p, &err), 0);
}

static void all_of_a_tree_in_order(void **state)
{
	const struct made_cgroup *made = *state;
	img_auto(img_mem_release) pid_t *pids = NULL;
	img_auto(img_fd_release) int below = -1;
	struct img_err err = { 0 };
	size_t n = 0;

	made_write(made->dir, "cgroup.procs", "30\n2\n");
	assert_int_equal(mkdirat(made->dir, "below", 0755), 0);
	below = openat(made->dir, "below", O_PATH | O_DIRECTORY | O_CLOEXEC);
	made_write(below, "cgroup.procs", "11\n");
	assert_int_equal(process_list(made->dir, &pids, &n, &err), 0);
	assert_int_equal(n, 3);
	assert_int_equal(pids[0], 2);
	assert_int_equal(pids[1], 11);
	assert_int_equal(pids[2], 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_come_after_the_last_bracket),
		cmocka_unit_test(terminals_have_names),
		cmocka_unit_test(what_is_no_stat_is_refused),
		cmocka_unit_test(ourselves),
		test_in_cgroup(all_of_a_tree_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
