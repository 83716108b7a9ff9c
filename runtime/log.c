#include "runtime/log.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define OUT_MAX (LOG_ENTRY_MAX + 4096)

/* The beginning of a line. */
struct open_line {
	size_t n;
	char text[LOG_TEXT_MAX];
};

struct log {
	char *path;
	struct log_limits limits;
	int fd; /* -1: it could not be opened again */
	uint64_t size;
	uint64_t lost; /* bytes that could not be written */
	char time[sizeof("2026-01-02T03:04:05.678901234Z")];
	struct open_line lines[2];
	size_t n_out; /* whole entries, not yet written */
	char out[OUT_MAX];
};

char *log_name(const char *path, unsigned n)
{
	return n ? mem_printf("%s.%u", path, n) : mem_strdup(path);
}

static void set_time(struct log *log)
{
	struct timespec now;
	struct tm tm;
	size_t n;

	(void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail */
	(void)gmtime_r(&now.tv_sec, &tm);
	n = strftime(log->time, sizeof(log->time), "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(log->time + n, sizeof(log->time) - n, ".%09ldZ",
		       now.tv_nsec);
}

/* Length of the UTF-8 sequence that begins here, 0 where none does; -1 where
 * there is not enough of it to tell.  RFC 3629, section 4. */
static int utf8_len(const char *text, size_t n)
{
	const unsigned char *s = (const unsigned char *)text;
	unsigned char low = 0x80, high = 0xbf;
	int len;

	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	len = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	for (int i = 1; i < len; i++) {
		if ((size_t)i >= n)
			return -1;
		if (s[i] < low || s[i] > high)
			return 0;
		low = 0x80;
		high = 0xbf;
	}
	return len;
}

static char *put(char *at, const char *text)
{
	return mempcpy(at, text, strlen(text));
}

/* One byte of ASCII as a JSON string has it. */
static char *put_ascii(char *at, unsigned char c)
{
	static const char digits[] = "0123456789abcdef";

	if (c == '"' || c == '\\') {
		*at++ = '\\';
		*at++ = (char)c;
	} else if (c >= ' ' && c != 0x7f) {
		*at++ = (char)c;
	} else if (c == '\n' || c == '\r' || c == '\t') {
		*at++ = '\\';
		*at++ = c == '\n' ? 'n' : c == '\r' ? 'r' : 't';
	} else {
		at = put(at, "\\u00");
		*at++ = digits[c >> 4];
		*at++ = digits[c & 15];
	}
	return at;
}

static char *put_text(char *at, const char *text, size_t n)
{
	for (size_t i = 0; i < n;) {
		int len = utf8_len(text + i, n - i);

		if (len == 1) {
			at = put_ascii(at, (unsigned char)text[i++]);
		} else if (len > 0) {
			memcpy(at, text + i, (size_t)len);
			at += len;
			i += (size_t)len;
		} else {
			at = put(at, "\\ufffd");
			i++;
		}
	}
	return at;
}

static void flush(struct log *log)
{
	struct img_err dropped = { 0 };
	size_t n = log->n_out;
	struct stat st;

	log->n_out = 0;
	if (n == 0)
		return;
	if (log->fd >= 0 &&
	    file_write(log->fd, log->out, n, "the log", &dropped) == 0) {
		log->size += n;
		return;
	}
	log->lost += n;
	/* What of it was written before the disk was full is cut off. */
	if (log->fd >= 0 && fstat(log->fd, &st) == 0 &&
	    (uint64_t)st.st_size > log->size)
		IMG_IGNORE(ftruncate(log->fd, (off_t)log->size));
}

static int open_file(struct log *log)
{
	log->fd = open(log->path,
		       O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_NOCTTY |
			       O_CLOEXEC,
		       0640);
	return log->fd;
}

/* A file that cannot be renamed is emptied: the limit is kept. */
static void rotate(struct log *log)
{
	bool moved = log->limits.max_files > 1;

	img_fd_release(&log->fd);
	for (unsigned i = log->limits.max_files - 1; i > 0; i--) {
		img_auto(img_mem_release) char *from =
			log_name(log->path, i - 1);
		img_auto(img_mem_release) char *to = log_name(log->path, i);

		if (rename(from, to) != 0 && i == 1)
			moved = false;
	}
	if (moved)
		log->size = 0;
	if (open_file(log) >= 0 && !moved && ftruncate(log->fd, 0) == 0)
		log->size = 0;
}

static void entry(struct log *log, enum log_stream stream, const char *text,
		  size_t n)
{
	char *begin, *at;
	size_t len;

	if (log->n_out + LOG_ENTRY_MAX > OUT_MAX)
		flush(log);
	begin = at = log->out + log->n_out;
	at = put(at, "{\"log\":\"");
	at = put_text(at, text, n);
	at = put(at, stream == LOG_STDOUT ? "\",\"stream\":\"stdout\""
					  : "\",\"stream\":\"stderr\"");
	at = put(at, ",\"time\":\"");
	at = put(at, log->time);
	at = put(at, "\"}\n");
	len = (size_t)(at - begin);
	if (log->fd < 0)
		(void)open_file(log);
	if (log->size + log->n_out + len > log->limits.max_bytes &&
	    log->size + log->n_out > 0) {
		flush(log);
		rotate(log);
		memmove(log->out, begin, len);
	}
	log->n_out += len;
}

/* The first that can be written again tells of what could not. */
static void tell_lost(struct log *log)
{
	char text[96];
	uint64_t lost = log->lost;
	int n;

	n = snprintf(text, sizeof(text),
		     "img: %" PRIu64 " bytes of the log could not be written "
		     "and are lost\n",
		     lost);
	log->lost = 0;
	entry(log, LOG_STDERR, text, (size_t)n);
	flush(log);
	if (log->lost)
		log->lost = lost;
}

/* How much of a line that is too long goes now: whole characters. */
static size_t cut(const char *text, size_t n)
{
	for (size_t back = 1; back <= 3 && back < n; back++)
		if (utf8_len(text + n - back, back) < 0)
			return n - back;
	return n;
}

static void line_out(struct log *log, enum log_stream stream, size_t n)
{
	struct open_line *line = &log->lines[stream];

	entry(log, stream, line->text, n);
	line->n -= n;
	memmove(line->text, line->text + n, line->n);
}

void log_write(struct log *log, enum log_stream stream, const char *bytes,
	       size_t n)
{
	struct open_line *line = &log->lines[stream];

	set_time(log);
	if (log->lost)
		tell_lost(log);
	while (n > 0) {
		const char *end = memchr(bytes, '\n', n);
		size_t len = end ? (size_t)(end - bytes) + 1 : n;

		if (line->n == 0 && end && len <= LOG_TEXT_MAX) {
			entry(log, stream, bytes, len);
		} else {
			if (len > LOG_TEXT_MAX - line->n) {
				len = LOG_TEXT_MAX - line->n;
				end = NULL;
			}
			memcpy(line->text + line->n, bytes, len);
			line->n += len;
			if (end)
				line_out(log, stream, line->n);
			else if (line->n == LOG_TEXT_MAX)
				line_out(log, stream, cut(line->text, line->n));
		}
		bytes += len;
		n -= len;
	}
	flush(log);
}

/* Ends what a crash left in the middle. */
static void mend_end(struct log *log)
{
	char last = '\n';

	if (log->size == 0 ||
	    pread(log->fd, &last, 1, (off_t)log->size - 1) != 1 || last == '\n')
		return;
	log->out[log->n_out++] = '\n';
	flush(log);
}

int log_open(const char *path, const struct log_limits *limits,
	     struct log **ret, struct img_err *err)
{
	struct log *log = mem_zalloc(sizeof(*log));
	struct stat st;

	log->path = mem_strdup(path);
	log->limits = *limits;
	if (open_file(log) < 0 || fstat(log->fd, &st) != 0) {
		int r = img_err_sys(err, "cannot open the log %s", path);

		log_close(&log);
		return r;
	}
	log->size = (uint64_t)st.st_size;
	set_time(log);
	mend_end(log);
	*ret = log;
	return 0;
}

void log_close(struct log **slot)
{
	struct log *log = *slot;
	int saved = errno;

	if (!log)
		return;
	set_time(log);
	for (int i = LOG_STDOUT; i <= LOG_STDERR; i++)
		if (log->lines[i].n > 0)
			line_out(log, (enum log_stream)i, log->lines[i].n);
	flush(log);
	img_fd_release(&log->fd);
	img_mem_release(&log->path);
	free(log);
	*slot = NULL;
	errno = saved;
}
