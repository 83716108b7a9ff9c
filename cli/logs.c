#include "base/cleanup.h"
#include "base/file.h"
#include "cli/container.h"
#include "cli/verb.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>

/* How soon the end of a container is noticed. */
#define LOOK_MS 100
#define BLOCK	((size_t)64 * 1024)

struct options {
	bool follow;
	const char *tail;
};

static const struct option_row rows[] = {
	{ 'f', "follow", NULL, "go on until the container ends", OPTION_FLAG,
	  offsetof(struct options, follow) },
	{ 'n', "tail", "LINES", "only the last ones, or \"all\" [all]",
	  OPTION_TEXT, offsetof(struct options, tail) },
};

static int read_tail(const char *text, uint64_t *ret, struct img_err *err)
{
	char *end;

	*ret = UINT64_MAX;
	if (!text || strcmp(text, "all") == 0)
		return 0;
	*ret = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "--tail '%s' is not a number of lines",
				   text);
	return 0;
}

/* Leaves @fd where its last @lines lines begin; one that is not ended yet is
 * a line. */
static int seek_tail(int fd, uint64_t lines, struct img_err *err)
{
	char block[4096];
	struct stat st;
	off_t at;

	if (lines == UINT64_MAX)
		return 0;
	if (fstat(fd, &st) != 0)
		return img_err_sys(err, "cannot read the log");
	at = lines ? 0 : st.st_size;
	for (off_t end = st.st_size; lines && end > 0;) {
		off_t begin = end > (off_t)sizeof(block)
				      ? end - (off_t)sizeof(block)
				      : 0;
		size_t n = (size_t)(end - begin);
		int r = file_pread(fd, block, n, (uint64_t)begin, "the log",
				   err);

		if (r < 0)
			return r;
		while (n-- > 0)
			/* The last byte ends a line; it begins none. */
			if (block[n] == '\n' &&
			    begin + (off_t)n + 1 < st.st_size && --lines == 0) {
				at = begin + (off_t)n + 1;
				break;
			}
		end = begin;
	}
	if (lseek(fd, at, SEEK_SET) < 0)
		return img_err_sys(err, "cannot read the log");
	return 0;
}

static int copy(int fd, struct img_err *err)
{
	static char block[BLOCK];
	ssize_t n;

	while ((n = read(fd, block, sizeof(block))) > 0) {
		int r = file_write(STDOUT_FILENO, block, (size_t)n,
				   "standard output", err);

		if (r < 0)
			return r;
	}
	return n < 0 ? img_err_sys(err, "cannot read the log") : 0;
}

/* Sleeps until the log may have grown. */
static int await_growth(int watch, struct img_err *err)
{
	struct pollfd p = { .fd = watch, .events = POLLIN };
	char events[512];
	int r = poll(&p, 1, LOOK_MS);

	if (r > 0) /* what it says is only that it is time to look */
		IMG_IGNORE(read(watch, events, sizeof(events)));
	if (r < 0 && errno == EINTR)
		return img_err_set(err, IMG_E_INTERRUPTED, 0, "interrupted");
	return r < 0 ? img_err_sys(err, "cannot follow the log") : 0;
}

static int follow(struct store *store, const struct container_row *row,
		  const char *path, int fd, struct img_err *err)
{
	img_auto(img_fd_release) int watch = inotify_init1(IN_CLOEXEC);
	int running, r;

	if (watch < 0 || inotify_add_watch(watch, path, IN_MODIFY) < 0)
		return img_err_sys(err, "cannot follow %s", path);
	do {
		/* In this order: what it said last is still copied. */
		running = container_is_running(store, row, err);
		r = running < 0 ? running : copy(fd, err);
		if (r == 0 && running)
			r = await_growth(watch, err);
	} while (r == 0 && running);
	return r;
}

static int run(const struct cli *cli, void *values, int argc, char **argv,
	       struct img_err *err)
{
	const struct options *o = values;
	img_auto(store_close) struct store *store = NULL;
	img_auto(container_row_release) struct container_row row = { 0 };
	img_auto(img_mem_release) char *path = NULL;
	img_auto(img_fd_release) int fd = -1;
	uint64_t lines;
	int r = read_tail(o->tail, &lines, err);

	if (r == 0)
		r = cli_open_store(cli, false, &store, err);
	if (r == 0)
		r = container_find(store, argv[0], &row, err);
	if (r < 0)
		return r;
	path = container_log_path(store, &row);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0; /* it never ran in the background */
	if (fd < 0)
		return img_err_sys(err, "cannot open %s", path);
	r = seek_tail(fd, lines, err);
	if (r < 0)
		return r;
	return o->follow ? follow(store, &row, path, fd, err) : copy(fd, err);
}

const struct verb verb_logs = {
	.name = "logs",
	.arguments = "CONTAINER",
	.summary = "Print what a container said in the background",
	.description =
		"Its standard output and error, from all its runs in the "
		"background, as one.",
	.options = VERB_OPTIONS(rows),
	.values_size = sizeof(struct options),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
