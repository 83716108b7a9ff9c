#include "tests/unit/runtime/image_dir.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "runtime/handover.h"
#include "runtime/reaper.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

/* How long anything may take on a machine that is busy. */
#define PATIENCE_MS 20000

static char sh[] = "sh", option[] = "-c";

/* A reaper of this process's; its first descriptors are what it has open. */
static pid_t begin(char **argv, struct reaper *reaper)
{
	static char path[] = "PATH=/bin:/usr/bin";
	static char *env[] = { path, NULL };
	struct img_err err = { 0 };
	int report[2];
	pid_t pid;

	if (reaper_prepare(argv, reaper, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(pipe2(report, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		const struct handover handover = { .reaper = reaper };
		int status = 125;

		if (handover_descriptors(&handover, &report[1], &err) == 0)
			(void)reaper_exec(reaper, env, env[0] + 5, &status,
					  &err);
		(void)!write(report[1], &err, sizeof(err));
		_exit(status);
	}
	close(report[1]);
	/* It is executed, or it says why it is not. */
	if (read(report[0], &err, sizeof(err)) == sizeof(err))
		print_message("%s\n", err.msg);
	close(report[0]);
	return pid;
}

static int status_of(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int run(char *script)
{
	char *argv[] = { sh, option, script, NULL };
	struct reaper reaper = REAPER_EMPTY;
	struct img_err err = { 0 };
	pid_t pid = begin(argv, &reaper);
	int status = 0;

	if (reaper_await(&reaper, &status, &err) < 0)
		fail_msg("%s", err.msg);
	reaper_release(&reaper);
	return status_of(pid);
}

static void its_status_is_the_commands(void **state)
{
	static char exits[] = "exit 7", is_killed[] = "kill -KILL $$";

	assert_int_equal(run(exits), 7);
	assert_int_equal(run(is_killed), 128 + SIGKILL);
}

static void assert_fails(char *name, int expected, const char *message)
{
	char *argv[] = { name, NULL };
	struct reaper reaper = REAPER_EMPTY;
	struct img_err err = { 0 };
	pid_t pid = begin(argv, &reaper);
	int status = 0;

	assert_true(reaper_await(&reaper, &status, &err) < 0);
	reaper_release(&reaper);
	(void)status_of(pid);
	assert_int_equal(status, expected);
	assert_string_equal(err.msg, message);
}

static void what_cannot_be_executed_is_told(void **state)
{
	struct image_dir *dir = *state;
	char program[128], message[256], none[] = "/none";

	assert_fails(none, 127, "\"/none\": No such file or directory");
	snprintf(message, sizeof(message), "\"%s\": Is a directory", dir->path);
	assert_fails(dir->path, 126, message);

	image_dir_puts(dir, "prog", "no format at all");
	assert_int_equal(fchmodat(dir->fd, "prog", 0755, 0), 0);
	snprintf(program, sizeof(program), "%s/prog", dir->path);
	snprintf(message, sizeof(message), "\"%s\": Exec format error",
		 program);
	assert_fails(program, 126, message);

	image_dir_puts(dir, "prog", "#!/nowhere/sh\n");
	snprintf(message, sizeof(message),
		 "\"%s\": its interpreter or loader is not in the image",
		 program);
	assert_fails(program, 127, message);
}

/* Only what is told of an error number counts. */
static void a_report_is_not_believed(void **state)
{
	char *argv[] = { sh, NULL };
	struct reaper reaper = REAPER_EMPTY;
	struct img_err err = { 0 };
	int status = 0;

	assert_int_equal(reaper_prepare(argv, &reaper, &err), 0);
	assert_int_equal(write(reaper.report[1], "\377\377\377\377", 4), 4);
	assert_true(reaper_await(&reaper, &status, &err) < 0);
	assert_int_equal(status, 126);
	assert_string_equal(err.msg, "\"sh\": Input/output error");
	reaper_release(&reaper);
}

static void the_program_is_sealed(void **state)
{
	char *argv[] = { sh, NULL };
	struct reaper reaper = REAPER_EMPTY;
	struct img_err err = { 0 };
	char path[40];
	int fd;

	assert_int_equal(reaper_prepare(argv, &reaper, &err), 0);
	assert_int_equal(fcntl(reaper.program, F_GET_SEALS),
			 F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW |
				 F_SEAL_WRITE);
	assert_int_equal(write(reaper.program, "x", 1), -1);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", reaper.program);
	fd = open(path, O_WRONLY | O_CLOEXEC); /* root may; it helps nothing */
	if (fd >= 0) {
		assert_int_equal(write(fd, "x", 1), -1);
		assert_int_equal(ftruncate(fd, 0), -1);
		close(fd);
	}
	reaper_release(&reaper);
}

/* A word that the command writes to what it has as standard output. */
static void hear(int fd, const char *word)
{
	char text[32] = "";
	size_t n = 0;

	while (!strchr(text, '\n') && n < sizeof(text) - 1 &&
	       read(fd, text + n, 1) == 1)
		n++;
	text[strcspn(text, "\n")] = '\0';
	assert_string_equal(text, word);
}

/* With its output in *ret_out. */
static pid_t begin_script(char *script, struct reaper *reaper, int *ret_out)
{
	char *argv[] = { sh, option, script, NULL };
	struct img_err err = { 0 };
	int out[2], saved = dup(STDOUT_FILENO), status;
	pid_t pid;

	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	fflush(stdout);
	assert_true(dup2(out[1], STDOUT_FILENO) >= 0);
	pid = begin(argv, reaper);
	assert_true(dup2(saved, STDOUT_FILENO) >= 0);
	close(saved);
	close(out[1]);
	assert_int_equal(reaper_await(reaper, &status, &err), 0);
	*ret_out = out[0];
	return pid;
}

static void signals_reach_the_command(void **state)
{
	static char script[] =
		"trap 'echo term; exit 3' TERM; trap 'echo usr1' USR1;"
		"echo ready; while :; do sleep 0.02; done";
	struct reaper reaper = REAPER_EMPTY;
	int out;
	pid_t pid = begin_script(script, &reaper, &out);

	hear(out, "ready");
	assert_int_equal(kill(pid, SIGUSR1), 0);
	hear(out, "usr1");
	/* Those are the reaper's own, and stop nothing. */
	assert_int_equal(kill(pid, SIGTTIN), 0);
	assert_int_equal(kill(pid, SIGTTOU), 0);
	assert_int_equal(kill(pid, SIGTERM), 0);
	hear(out, "term");
	assert_int_equal(status_of(pid), 3);
	close(out);
	reaper_release(&reaper);
}

static void orphans_are_reaped(void **state)
{
	static char script[] = "trap 'exit 0' TERM; sh -c 'sleep 0 & echo $!';"
			       "while :; do sleep 0.02; done";
	const struct timespec moment = { .tv_nsec = 10000000 };
	struct reaper reaper = REAPER_EMPTY;
	char number[32] = "", path[64];
	int out;
	pid_t pid = begin_script(script, &reaper, &out);

	assert_true(read(out, number, sizeof(number) - 1) > 1);
	number[strcspn(number, "\n")] = '\0';
	snprintf(path, sizeof(path), "/proc/%s", number);
	for (int ms = 0; access(path, F_OK) == 0; ms += 10) {
		assert_true(ms < PATIENCE_MS);
		(void)nanosleep(&moment, NULL);
	}
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(status_of(pid), 0);
	close(out);
	reaper_release(&reaper);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_status_is_the_commands),
		test_in_image(what_cannot_be_executed_is_told),
		cmocka_unit_test(a_report_is_not_believed),
		cmocka_unit_test(the_program_is_sealed),
		cmocka_unit_test(signals_reach_the_command),
		cmocka_unit_test(orphans_are_reaped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
