/*
 * timer ROUNDS :case NAME COMMAND... [:until FIFO] [:then COMMAND...]
 *       [:after COMMAND...]
 *
 * Times what stands after each :case, as many cases as there are, and prints
 * one line for each: name, median, least and most in milliseconds.  The cases
 * take turns, so that what else the machine does meets all of them alike, and
 * a first round, whose figures are dropped, warms the caches.  Commands that
 * are joined by :then count together, and so does what passes until something
 * is written to a FIFO; what follows :after clears up and is not counted.
 * "{}" within an argument stands for the number of the round.
 *
 * Linked statically and started by vfork: little of what it measures is its
 * own.  Ends with status 1, naming the command, as soon as one fails.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CASES_MAX  16
#define ARGS_MAX   64
#define ROUNDS_MAX 1000
#define ARG_BYTES  1024

extern char **environ;

struct timed {
	const char *name;
	char **from, **end; /* its words */
	double ms[ROUNDS_MAX];
};

static void fail(const char *what, const char *on)
{
	(void)fprintf(stderr, "timer: %s: %s\n", on, what);
	exit(1);
}

static double now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts); /* cannot fail */
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

/* Copies a word with the round's number for its first "{}". */
static char *fill_in(const char *word, int round, char *out)
{
	const char *at = strstr(word, "{}");
	int before = at ? (int)(at - word) : 0, n;

	if (at)
		n = snprintf(out, ARG_BYTES, "%.*s%d%s", before, word, round,
			     at + 2);
	else
		n = snprintf(out, ARG_BYTES, "%s", word);
	if (n >= ARG_BYTES)
		fail("is too long", word);
	return out;
}

static double run(char **argv)
{
	posix_spawn_file_actions_t files;
	double start;
	int status;
	pid_t pid;

	if (posix_spawn_file_actions_init(&files) != 0 ||
	    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY,
					     0) != 0 ||
	    posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY,
					     0) != 0)
		fail("cannot be prepared", argv[0]);
	start = now_ms();
	if (posix_spawnp(&pid, argv[0], &files, NULL, argv, environ) != 0)
		fail("cannot be started", argv[0]);
	if (waitpid(pid, &status, 0) < 0 || status != 0)
		fail("failed", argv[0]);
	(void)posix_spawn_file_actions_destroy(&files); /* frees memory */
	return now_ms() - start;
}

static int ends_command(const char *word)
{
	return strcmp(word, ":then") == 0 || strcmp(word, ":until") == 0 ||
	       strcmp(word, ":after") == 0;
}

/* Until somebody has it open for writing, and has written. */
static double wait_for(const char *fifo)
{
	double start = now_ms();
	int fd = open(fifo, O_RDONLY);
	char byte;

	if (fd < 0 || read(fd, &byte, 1) != 1)
		fail("nothing was written", fifo);
	(void)close(fd);
	return now_ms() - start;
}

/* One command, up to the next :word; returns what stands there. */
static char **run_one(char **word, char **end, int round, double *ret_ms)
{
	static char text[ARGS_MAX][ARG_BYTES];
	char *argv[ARGS_MAX + 1];
	int n = 0;

	for (; word < end && !ends_command(*word); word++, n++) {
		if (n == ARGS_MAX)
			fail("has too many arguments", argv[0]);
		argv[n] = fill_in(*word, round, text[n]);
	}
	if (n == 0)
		fail("a command is empty", ":case");
	argv[n] = NULL;
	*ret_ms = run(argv);
	return word;
}

static double run_case(const struct timed *timed, int round)
{
	char **word = timed->from;
	double sum = 0, ms;
	int counts = 1;

	for (;; word++) {
		word = run_one(word, timed->end, round, &ms);
		if (word < timed->end && strcmp(*word, ":until") == 0) {
			if (!word[1])
				fail("a FIFO was expected", *word);
			ms += wait_for(word[1]);
			word += 2;
		}
		if (counts)
			sum += ms;
		if (word == timed->end)
			return sum;
		if (strcmp(*word, ":after") == 0)
			counts = 0;
	}
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int find_cases(char **word, struct timed *cases)
{
	int n = 0;

	while (*word) {
		if (n == CASES_MAX || strcmp(*word, ":case") != 0 || !word[1])
			fail("a :case with a name was expected", *word);
		cases[n].name = word[1];
		cases[n].from = word + 2;
		for (word += 2; *word && strcmp(*word, ":case") != 0;)
			word++;
		cases[n++].end = word;
	}
	return n;
}

int main(int argc, char **argv)
{
	static struct timed cases[CASES_MAX];
	int rounds = argc > 1 ? atoi(argv[1]) : 0;
	int n;

	if (rounds < 1 || rounds > ROUNDS_MAX)
		fail("a number of rounds was expected", "usage");
	n = find_cases(argv + 2, cases);
	for (int round = 0; round <= rounds; round++)
		for (int i = 0; i < n; i++)
			cases[i].ms[round ? round - 1 : 0] =
				run_case(&cases[i], round);
	for (int i = 0; i < n; i++) {
		double *ms = cases[i].ms;

		qsort(ms, (size_t)rounds, sizeof(*ms), by_value);
		(void)printf("%s %.1f %.1f %.1f\n", cases[i].name,
			     ms[rounds / 2], ms[0], ms[rounds - 1]);
	}
	return 0;
}
