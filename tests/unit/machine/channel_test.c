#include "machine/channel.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <cmocka.h>

/* Both sides in one process, with a socket pair for the serial line. */
struct pair {
	struct channel host, guest;
	struct flow host_flows[CHANNEL_STREAMS], guest_flows[CHANNEL_STREAMS];
	int line[2], memory_fd;
	int host_ends[CHANNEL_STREAMS];	 /* what the user holds */
	int guest_ends[CHANNEL_STREAMS]; /* what the command holds */
};

static void make_pipe(int *ret_read, int *ret_write, int nonblocking_end)
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	*ret_read = ends[0];
	*ret_write = ends[1];
	assert_int_equal(fcntl(ends[nonblocking_end], F_SETFL, O_NONBLOCK), 0);
}

/* User's pipe, host's flow, ring, guest's flow, command's pipe. */
static void connect_streams(struct pair *p)
{
	for (int i = 0; i < CHANNEL_STREAMS; i++) {
		struct ring_end h = channel_ring(&p->host, i);
		struct ring_end g = channel_ring(&p->guest, i);
		bool in = i == CHANNEL_STDIN;
		int fd;

		if (in)
			make_pipe(&fd, &p->host_ends[i], 1);
		else
			make_pipe(&p->host_ends[i], &fd, 0);
		flow_init(&p->host_flows[i], in ? FLOW_IN : FLOW_OUT, fd, h,
			  true);
		if (in)
			make_pipe(&p->guest_ends[i], &fd, 1);
		else
			make_pipe(&fd, &p->guest_ends[i], 0);
		assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
		flow_init(&p->guest_flows[i], in ? FLOW_OUT : FLOW_IN, fd, g,
			  true);
	}
}

static int begin(void **state)
{
	struct pair *p = calloc(1, sizeof(*p));
	struct img_err err = { 0 };
	char *job;
	size_t size;

	assert_non_null(p);
	(void)signal(SIGPIPE, SIG_IGN);
	assert_int_equal(socketpair(AF_UNIX,
				    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
				    0, p->line),
			 0);
	assert_int_equal(channel_create("the job", 7, p->line[0], &p->host,
					&p->memory_fd, &err),
			 0);
	assert_int_equal(channel_attach(p->memory_fd, p->line[1], &p->guest,
					&job, &size, &err),
			 0);
	assert_int_equal(size, 7);
	assert_memory_equal(job, "the job", 7);
	free(job);
	connect_streams(p);
	*state = p;
	return 0;
}

static int end(void **state)
{
	struct pair *p = *state;

	for (int i = 0; i < CHANNEL_STREAMS; i++) {
		flow_stop(&p->host_flows[i]);
		flow_stop(&p->guest_flows[i]);
		img_fd_release(&p->host_ends[i]);
		img_fd_release(&p->guest_ends[i]);
	}
	channel_release(&p->host);
	channel_release(&p->guest);
	img_fd_release(&p->line[0]);
	img_fd_release(&p->line[1]);
	img_fd_release(&p->memory_fd);
	free(p);
	return 0;
}

static void turn(struct pair *p)
{
	assert_true(channel_wait(&p->host, p->host_flows, NULL, 0, 0));
	assert_true(channel_wait(&p->guest, p->guest_flows, NULL, 0, 0));
}

/* Pushes @total bytes in at @from and takes them out at @to. */
static void carry(struct pair *p, int from, int to, size_t total)
{
	static unsigned char out[70000], in[70000];
	size_t put = 0, got = 0;

	while (got < total) {
		size_t want = 1 + put % 66000;
		ssize_t n;

		for (size_t i = 0; i < want; i++)
			out[i] = (unsigned char)((put + i) * 7 >> 2);
		if (want > total - put)
			want = total - put;
		n = want ? write(from, out, want) : 0;
		put += n > 0 ? (size_t)n : 0;
		turn(p);
		n = read(to, in, sizeof(in));
		for (ssize_t i = 0; i < n; i++)
			if (in[i] !=
			    (unsigned char)((got + (size_t)i) * 7 >> 2))
				fail_msg("wrong byte at %zu", got + (size_t)i);
		got += n > 0 ? (size_t)n : 0;
	}
}

static void set_nonblocking(int fd)
{
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
}

static void streams_arrive_whole_in_both_directions(void **state)
{
	struct pair *p = *state;

	for (int i = 0; i < CHANNEL_STREAMS; i++) {
		set_nonblocking(p->host_ends[i]);
		set_nonblocking(p->guest_ends[i]);
	}
	carry(p, p->host_ends[0], p->guest_ends[0], 3 * RING_BYTES + 17);
	carry(p, p->guest_ends[1], p->host_ends[1], 3 * RING_BYTES + 5);
	carry(p, p->guest_ends[2], p->host_ends[2], RING_BYTES);
}

static void the_end_of_stdin_arrives_after_its_bytes(void **state)
{
	struct pair *p = *state;
	char text[8];

	assert_int_equal(write(p->host_ends[0], "last", 4), 4);
	img_fd_release(&p->host_ends[0]);
	for (int i = 0; i < 4; i++)
		turn(p);
	assert_int_equal(read(p->guest_ends[0], text, sizeof(text)), 4);
	assert_memory_equal(text, "last", 4);
	assert_int_equal(read(p->guest_ends[0], text, sizeof(text)), 0);
	assert_true(flow_is_done(&p->host_flows[0]));
	assert_true(flow_is_done(&p->guest_flows[0]));
}

/* As in `img machine exec -- yes | head -1`. */
static void a_reader_that_leaves_stops_the_writer(void **state)
{
	struct pair *p = *state;

	img_fd_release(&p->host_ends[1]);
	assert_int_equal(write(p->guest_ends[1], "y\n", 2), 2);
	for (int i = 0; i < 4; i++)
		turn(p);
	assert_int_equal(p->host_flows[1].error, EPIPE);
	assert_int_equal(write(p->guest_ends[1], "y\n", 2), -1);
	assert_int_equal(errno, EPIPE);
}

static void a_stream_that_is_stuck_holds_up_no_other(void **state)
{
	struct pair *p = *state;
	static char block[65536];
	char text[8];

	set_nonblocking(p->guest_ends[1]);
	for (int i = 0; i < 20; i++) { /* nobody reads stdout */
		(void)!write(p->guest_ends[1], block, sizeof(block));
		turn(p);
	}
	assert_int_equal(write(p->guest_ends[2], "err", 3), 3);
	assert_int_equal(write(p->host_ends[0], "in", 2), 2);
	turn(p);
	turn(p);
	assert_int_equal(read(p->host_ends[2], text, sizeof(text)), 3);
	assert_int_equal(read(p->guest_ends[0], text, sizeof(text)), 2);
}

static void a_paused_flow_leaves_its_descriptor_alone(void **state)
{
	struct pair *p = *state;
	const unsigned char *from;
	struct ring_end ring = channel_ring(&p->guest, CHANNEL_STDIN);

	p->host_flows[0].paused = true;
	assert_int_equal(write(p->host_ends[0], "in", 2), 2);
	turn(p);
	assert_int_equal(ring_peek(&ring, &from), 0);
	p->host_flows[0].paused = false;
	assert_true(channel_wait(&p->host, p->host_flows, NULL, 0, 0));
	assert_int_equal(ring_peek(&ring, &from), 2);
}

static void a_sleeper_is_woken_once(void **state)
{
	struct pair *p = *state;
	char bells[8];

	channel_ring_bell(&p->host);
	assert_int_equal(read(p->line[1], bells, sizeof(bells)), -1);
	atomic_store(&p->guest.page->guest_asleep, 1);
	channel_ring_bell(&p->host);
	channel_ring_bell(&p->host);
	assert_int_equal(read(p->line[1], bells, sizeof(bells)), 1);
}

static void a_closed_line_is_seen(void **state)
{
	struct pair *p = *state;

	img_fd_release(&p->line[1]);
	assert_false(channel_wait(&p->host, p->host_flows, NULL, 0, 1000));
}

static void foreign_memory_is_refused(void **state)
{
	img_auto(img_fd_release) int fd = -1;
	struct channel channel;
	struct img_err err = { 0 };
	size_t size;
	char *job;

	fd = memfd_create("foreign", MFD_CLOEXEC);
	assert_int_equal(ftruncate(fd, 4 << 20), 0);
	assert_int_equal(channel_attach(fd, -1, &channel, &job, &size, &err),
			 -IMG_E_CORRUPT);
	assert_string_equal(err.msg, "the machine's channel was made by "
				     "another version of img");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			streams_arrive_whole_in_both_directions, begin, end),
		cmocka_unit_test_setup_teardown(
			the_end_of_stdin_arrives_after_its_bytes, begin, end),
		cmocka_unit_test_setup_teardown(
			a_reader_that_leaves_stops_the_writer, begin, end),
		cmocka_unit_test_setup_teardown(
			a_stream_that_is_stuck_holds_up_no_other, begin, end),
		cmocka_unit_test_setup_teardown(
			a_paused_flow_leaves_its_descriptor_alone, begin, end),
		cmocka_unit_test_setup_teardown(a_sleeper_is_woken_once, begin,
						end),
		cmocka_unit_test_setup_teardown(a_closed_line_is_seen, begin,
						end),
		cmocka_unit_test(foreign_memory_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
