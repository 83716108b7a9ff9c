#include "machine/guest_command.h"

#include "base/cleanup.h"
#include "machine/machine.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

/* A job's strings are not const, for most jobs are on the heap. */
#define TEXT(literal)                                                          \
	(char[])                                                               \
	{                                                                      \
		literal                                                        \
	}

static char *env[8];

static struct job job_of(char **argv)
{
	return (struct job){ .argv = argv,
			     .env = env,
			     .cwd = TEXT("/"),
			     .umask = 077,
			     .open_files_soft = 256,
			     .open_files_hard = 256 };
}

static void expect_env(char *const want[])
{
	char *none[] = { NULL };
	struct job job = job_of(none);
	char **got = guest_environment(&job);
	size_t n = 0;

	for (; want[n]; n++)
		assert_string_equal(got[n], want[n]);
	assert_null(got[n]);
	for (size_t i = 0; got[i]; i++) /* what it added is on the heap */
		if (strncmp(got[i], "PATH=/run", 9) == 0 ||
		    strcmp(got[i], "DM_DISABLE_UDEV=1") == 0 ||
		    strcmp(got[i], "IMG_ROOT=/run/img-state/store") == 0)
			free(got[i]);
	free(got);
}

static void the_environment_is_the_hosts_and_a_little_more(void **state)
{
	char *const want[] = { TEXT("A=1"),
			       TEXT("LD_PRELOAD=/mine.so"),
			       TEXT("PATH=/run/img-machine/bin:/bin"),
			       TEXT("DM_DISABLE_UDEV=1"),
			       TEXT("IMG_ROOT=/run/img-state/store"),
			       NULL };

	env[0] = TEXT("A=1");
	env[1] = TEXT("PATH=/bin");
	env[2] = TEXT("LD_PRELOAD=/mine.so");
	env[3] = TEXT("DM_DISABLE_UDEV=0");
	env[4] = NULL;
	expect_env(want);
}

static void a_store_that_the_host_names_is_kept(void **state)
{
	char *const want[] = { TEXT("IMG_ROOT=/mine"),
			       TEXT("PATH=/run/img-machine/bin:/usr/local/sbin:"
				    "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:"
				    "/bin"),
			       TEXT("DM_DISABLE_UDEV=1"), NULL };

	env[0] = TEXT("IMG_ROOT=/mine");
	env[1] = NULL;
	expect_env(want);
}

static int run(char **argv, char *ret_output, size_t size, int *ret_status,
	       struct img_err *err)
{
	struct job job = job_of(argv);
	int ends[2], streams[3], r, status;
	pid_t pid = 0;
	size_t len = 0;
	ssize_t n;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	streams[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	streams[1] = ends[1];
	streams[2] = ends[1];
	*ret_status = 0;
	r = guest_command_start(&job, streams, false, &pid, ret_status, err);
	(void)close(ends[1]);
	(void)close(streams[0]);
	do { /* one write of the shell's at a time, to the end */
		n = read(ends[0], ret_output + len, size - 1 - len);
		len += n > 0 ? (size_t)n : 0;
	} while (n > 0);
	ret_output[len] = '\0';
	(void)close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (r == 0)
		*ret_status = WEXITSTATUS(status);
	return r;
}

static void a_command_runs_where_and_as_it_should(void **state)
{
	char *argv[] = { TEXT("sh"), TEXT("-c"),
			 TEXT("pwd; umask; ulimit -n; exit 9"), NULL };
	struct img_err err = { 0 };
	char output[256];
	int status;

	assert_int_equal(run(argv, output, sizeof(output), &status, &err), 0);
	assert_string_equal(output, "/\n0077\n256\n");
	assert_int_equal(status, 9);
}

static void what_cannot_be_executed_says_why(void **state)
{
	char *missing[] = { TEXT("/no/such"), NULL };
	char *no_program[] = { TEXT("/etc/passwd"), NULL };
	struct img_err err = { 0 };
	char output[256];
	int status;

	assert_int_equal(run(missing, output, sizeof(output), &status, &err),
			 -IMG_E_NOT_FOUND);
	assert_string_equal(err.msg, "cannot execute /no/such: No such file or "
				     "directory");
	assert_int_equal(status, MACHINE_STATUS_NO_COMMAND);
	err = (struct img_err){ 0 };
	assert_int_equal(run(no_program, output, sizeof(output), &status, &err),
			 -IMG_E_SYS);
	assert_string_equal(err.msg,
			    "cannot execute /etc/passwd: Permission denied");
	assert_int_equal(status, MACHINE_STATUS_NO_EXEC);
	assert_string_equal(output, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			the_environment_is_the_hosts_and_a_little_more),
		cmocka_unit_test(a_store_that_the_host_names_is_kept),
		cmocka_unit_test(a_command_runs_where_and_as_it_should),
		cmocka_unit_test(what_cannot_be_executed_says_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
