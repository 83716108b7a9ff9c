#include "runtime/log_read.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"

#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define BUF_MAX (LOG_ENTRY_MAX + 64 * 1024)

struct log_reader {
	char *path;
	int *fds; /* oldest first */
	size_t n_fds, at;
	json_t *entry; /* that the last one returned lies in */
	size_t begin, end;
	char buf[BUF_MAX];
};

static bool same_file(int a, int b)
{
	struct stat sa, sb;

	return fstat(a, &sa) == 0 && fstat(b, &sb) == 0 &&
	       sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

/* Opens what is newer than @known (-1: all there is).  From the newest on: a
 * file that is renamed meanwhile is met twice, and none is missed. */
static int open_newer(struct log_reader *reader, int known, struct img_err *err)
{
	int found[LOG_FILES_MAX];
	size_t n = 0;

	for (unsigned i = 0; i < LOG_FILES_MAX; i++) {
		img_auto(img_mem_release) char *name =
			log_name(reader->path, i);
		int fd = open(name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

		if (fd < 0 && errno != ENOENT) {
			while (n > 0)
				(void)close(found[--n]);
			return img_err_sys(err, "cannot open %s", name);
		}
		if (fd < 0 && i > 0)
			break;
		if (fd < 0)
			continue; /* it is being renamed */
		if (known >= 0 && same_file(fd, known)) {
			(void)close(fd);
			break;
		}
		if (n > 0 && same_file(fd, found[n - 1]))
			(void)close(fd);
		else
			found[n++] = fd;
	}
	reader->fds =
		mem_realloc(reader->fds, (reader->n_fds + n + 1) * sizeof(int));
	while (n > 0)
		reader->fds[reader->n_fds++] = found[--n];
	return 0;
}

int log_reader_open(const char *path, struct log_reader **ret,
		    struct img_err *err)
{
	struct log_reader *reader = mem_zalloc(sizeof(*reader));
	int r;

	reader->path = mem_strdup(path);
	r = open_newer(reader, -1, err);
	if (r < 0)
		log_reader_close(&reader);
	else
		*ret = reader;
	return r;
}

void log_reader_close(struct log_reader **slot)
{
	struct log_reader *reader = *slot;
	int saved = errno;

	if (!reader)
		return;
	for (size_t i = 0; i < reader->n_fds; i++)
		(void)close(reader->fds[i]);
	json_decref(reader->entry);
	free(reader->fds);
	free(reader->path);
	free(reader);
	*slot = NULL;
	errno = saved;
}

/* Leaves @fd where its last *@lines lines begin, less those it has. */
static int seek_back(int fd, uint64_t *lines, struct img_err *err)
{
	char block[4096];
	struct stat st;
	off_t at = 0;

	if (fstat(fd, &st) != 0)
		return img_err_sys(err, "cannot read the log");
	if (*lines == 0)
		at = st.st_size;
	for (off_t end = st.st_size; *lines && end > 0;) {
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
			    begin + (off_t)n + 1 < st.st_size &&
			    --*lines == 0) {
				at = begin + (off_t)n + 1;
				break;
			}
		end = begin;
	}
	if (*lines && st.st_size > 0)
		--*lines; /* the first one */
	return lseek(fd, at, SEEK_SET) < 0
		       ? img_err_sys(err, "cannot read the log")
		       : 0;
}

int log_reader_tail(struct log_reader *reader, uint64_t n, struct img_err *err)
{
	for (size_t i = reader->n_fds; i-- > 0;) {
		int r = seek_back(reader->fds[i], &n, err);

		if (r < 0)
			return r;
	}
	return 0;
}

/* "2026-01-02T03:04:05.678901234Z" */
static int64_t read_time(const char *text)
{
	struct tm tm = { 0 };
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	int64_t ns = 0, unit = 100000000;

	if (!rest)
		return 0;
	if (*rest == '.')
		for (rest++; *rest >= '0' && *rest <= '9'; rest++) {
			ns += (*rest - '0') * unit;
			unit /= 10;
		}
	return (int64_t)timegm(&tm) * 1000000000 + ns;
}

/* Whether the line is an entry. */
static bool parse(struct log_reader *reader, const char *line, size_t n,
		  struct log_entry *ret)
{
	const char *text, *stream, *time;
	size_t len;

	json_decref(reader->entry);
	reader->entry = json_loadb(line, n, JSON_ALLOW_NUL, NULL);
	if (!reader->entry ||
	    json_unpack(reader->entry, "{ss% ss ss}", "log", &text, &len,
			"stream", &stream, "time", &time) < 0)
		return false;
	*ret = (struct log_entry){
		.text = text,
		.n = len,
		.stream =
			strcmp(stream, "stderr") == 0 ? LOG_STDERR : LOG_STDOUT,
		.time_ns = read_time(time),
		.time = time,
	};
	return true;
}

/* 1 with an entry that is in the buffer. */
static int from_buffer(struct log_reader *reader, struct log_entry *ret)
{
	while (reader->begin < reader->end) {
		const char *line = reader->buf + reader->begin;
		size_t n = reader->end - reader->begin;
		const char *end = memchr(line, '\n', n);

		if (!end && n < sizeof(reader->buf))
			return 0;
		/* What is longer than the buffer is no entry. */
		reader->begin += end ? (size_t)(end - line) + 1 : n;
		if (end && parse(reader, line, (size_t)(end - line), ret))
			return 1;
	}
	return 0;
}

static ssize_t fill(struct log_reader *reader, int fd)
{
	size_t kept = reader->end - reader->begin;
	struct stat st;
	ssize_t n;

	memmove(reader->buf, reader->buf + reader->begin, kept);
	reader->begin = 0;
	reader->end = kept;
	do
		n = read(fd, reader->buf + kept, sizeof(reader->buf) - kept);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		reader->end += (size_t)n;
	/* A log of one file begins anew when it is full. */
	if (n == 0 && fstat(fd, &st) == 0 &&
	    st.st_size < lseek(fd, 0, SEEK_CUR)) {
		(void)lseek(fd, 0, SEEK_SET);
		reader->end = 0;
		return fill(reader, fd);
	}
	return n;
}

int log_reader_next(struct log_reader *reader, struct log_entry *ret,
		    struct img_err *err)
{
	for (;;) {
		int known = -1, r;
		size_t before = reader->n_fds;
		ssize_t n = 0;

		if (from_buffer(reader, ret))
			return 1;
		if (reader->at < reader->n_fds) {
			known = reader->fds[reader->at];
			n = fill(reader, known);
		}
		if (n < 0)
			return img_err_sys(err, "cannot read the log");
		if (n > 0)
			continue;
		if (reader->at + 1 < reader->n_fds) {
			reader->at++;
			reader->begin = reader->end = 0;
			continue;
		}
		/* Once more from this one, if there is another after it: it
		 * may have grown before it was renamed. */
		r = open_newer(reader, known, err);
		if (r < 0 || reader->n_fds == before)
			return r;
	}
}
