/* The user's side is a pseudo-terminal or pipes, the container's a socket:
 * both are real descriptors, so blocking and closing are real too. */
#include "base/cleanup.h"
#include "runtime/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>

#include <cmocka.h>

struct bench {
	int old_in, old_out;
	int in[2], out[2]; /* the user's pipes */
	int pair[2];	   /* [0] the master, [1] the container */
	int wake[2];
};

static int bench_setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	b->old_in = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 10);
	b->old_out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 10);
	assert_int_equal(pipe2(b->in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(b->out, O_CLOEXEC), 0);
	assert_int_equal(pipe2(b->wake, O_CLOEXEC), 0);
	assert_int_equal(socketpair(AF_UNIX,
				    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
				    0, b->pair),
			 0);
	assert_int_equal(dup2(b->in[0], STDIN_FILENO), STDIN_FILENO);
	assert_int_equal(dup2(b->out[1], STDOUT_FILENO), STDOUT_FILENO);
	*state = b;
	return 0;
}

static int bench_teardown(void **state)
{
	struct bench *b = *state;

	dup2(b->old_in, STDIN_FILENO);
	dup2(b->old_out, STDOUT_FILENO);
	close(b->old_in);
	close(b->old_out);
	for (int i = 0; i < 2; i++) {
		img_fd_release(&b->in[i]);
		img_fd_release(&b->out[i]);
		img_fd_release(&b->pair[i]);
		img_fd_release(&b->wake[i]);
	}
	free(b);
	return 0;
}

static void step(struct relay *relay, const struct bench *b, bool expect_wake)
{
	struct img_err err = { 0 };
	bool woken;

	assert_int_equal(relay_move(relay, b->wake[0], &woken, &err), 0);
	assert_int_equal(woken, expect_wake);
}

static void assert_reads(int fd, const char *expected)
{
	char buf[64] = "";

	assert_int_equal(read(fd, buf, sizeof(buf) - 1), strlen(expected));
	assert_string_equal(buf, expected);
}

static void bytes_go_both_ways(void **state)
{
	struct bench *b = *state;
	struct relay relay;

	relay_begin(&relay, b->pair[0], true);
	assert_int_equal(write(b->in[1], "keys", 4), 4);
	step(&relay, b, false); /* read */
	step(&relay, b, false); /* write */
	assert_reads(b->pair[1], "keys");
	assert_int_equal(write(b->pair[1], "text", 4), 4);
	step(&relay, b, false);
	step(&relay, b, false);
	assert_reads(b->out[0], "text");
	assert_int_equal(write(b->wake[1], "!", 1), 1);
	step(&relay, b, true);
	relay_end(&relay);
}

static void the_end_of_stdin_ends_one_direction(void **state)
{
	struct bench *b = *state;
	struct relay relay;

	relay_begin(&relay, b->pair[0], true);
	img_fd_release(&b->in[1]);
	step(&relay, b, false);
	assert_int_equal(relay.in.from, -1);
	assert_int_equal(write(b->pair[1], "text", 4), 4);
	step(&relay, b, false);
	step(&relay, b, false);
	assert_reads(b->out[0], "text");
	relay_end(&relay);
}

static void without_interaction_stdin_is_left_alone(void **state)
{
	struct bench *b = *state;
	struct relay relay;

	relay_begin(&relay, b->pair[0], false);
	assert_int_equal(write(b->in[1], "keys", 4), 4);
	assert_int_equal(write(b->wake[1], "!", 1), 1);
	step(&relay, b, true);
	assert_int_equal(read(b->pair[1], &(char){ 0 }, 1), -1);
	assert_int_equal(errno, EAGAIN);
	assert_reads(b->in[0], "keys");
	relay_end(&relay);
}

static void a_lost_stdout_does_not_stop_the_container(void **state)
{
	struct bench *b = *state;
	struct relay relay;

	assert_true(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
	relay_begin(&relay, b->pair[0], false);
	img_fd_release(&b->out[0]);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(write(b->pair[1], "text", 4), 4);
		step(&relay, b, false);
		if (i == 0)
			step(&relay, b, false); /* EPIPE */
	}
	assert_int_equal(relay.out.to, -1);
	assert_int_equal(relay.out.begin, relay.out.end);
	assert_int_equal(relay.out.from, b->pair[0]);
	relay_end(&relay);
}

static void the_last_words_are_drained(void **state)
{
	struct bench *b = *state;
	struct relay relay;
	char buf[6000];

	relay_begin(&relay, b->pair[0], false);
	memset(buf, 'x', sizeof(buf));
	assert_int_equal(write(b->pair[1], buf, sizeof(buf)), sizeof(buf));
	img_fd_release(&b->pair[1]);
	relay_drain(&relay);
	relay_end(&relay);
	for (size_t n = 0; n < sizeof(buf);) {
		ssize_t r = read(b->out[0], buf, sizeof(buf));

		assert_true(r > 0);
		n += (size_t)r;
	}
}

static void a_terminal_is_raw_meanwhile_and_restored(void **state)
{
	struct bench *b = *state;
	img_auto(img_fd_release) int master = -1;
	img_auto(img_fd_release) int user = -1;
	struct termios before, during, after;
	struct relay relay;

	master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(master >= 0);
	assert_int_equal(unlockpt(master), 0);
	user = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(user >= 0);
	assert_int_equal(dup2(user, STDIN_FILENO), STDIN_FILENO);
	assert_int_equal(tcgetattr(user, &before), 0);
	assert_true(before.c_lflag & ISIG);
	relay_begin(&relay, b->pair[0], true);
	assert_int_equal(tcgetattr(user, &during), 0);
	assert_false(during.c_lflag & (ISIG | ICANON | ECHO));
	assert_int_equal(write(master, "\3\32", 2), 2); /* ^C ^Z */
	step(&relay, b, false);
	step(&relay, b, false);
	assert_reads(b->pair[1], "\3\32");
	relay_end(&relay);
	relay_end(&relay);
	assert_int_equal(tcgetattr(user, &after), 0);
	assert_int_equal(after.c_iflag, before.c_iflag);
	assert_int_equal(after.c_oflag, before.c_oflag);
	assert_int_equal(after.c_cflag, before.c_cflag);
	assert_int_equal(after.c_lflag, before.c_lflag);
	assert_memory_equal(after.c_cc, before.c_cc, sizeof(after.c_cc));
}

static void the_size_is_copied(void **state)
{
	img_auto(img_fd_release) int master = -1;
	img_auto(img_fd_release) int user = -1;
	img_auto(img_fd_release) int other = -1;
	const struct winsize size = { .ws_row = 33, .ws_col = 77 };
	struct winsize copied = { 0 };

	master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	other = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_int_equal(unlockpt(master), 0);
	user = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_int_equal(ioctl(master, TIOCSWINSZ, &size), 0);
	assert_int_equal(dup2(user, STDIN_FILENO), STDIN_FILENO);
	relay_copy_size(other);
	assert_int_equal(ioctl(other, TIOCGWINSZ, &copied), 0);
	assert_int_equal(copied.ws_row, 33);
	assert_int_equal(copied.ws_col, 77);
}

#define test_on_bench(fn)                                                      \
	cmocka_unit_test_setup_teardown(fn, bench_setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_on_bench(bytes_go_both_ways),
		test_on_bench(the_end_of_stdin_ends_one_direction),
		test_on_bench(without_interaction_stdin_is_left_alone),
		test_on_bench(a_lost_stdout_does_not_stop_the_container),
		test_on_bench(the_last_words_are_drained),
		test_on_bench(a_terminal_is_raw_meanwhile_and_restored),
		test_on_bench(the_size_is_copied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
