#include "image/tar_read.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "image/tar_entry.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <locale.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

/* Few system calls, few pages. */
#define READ_BYTES  (256u * 1024)
#define DRAIN_BYTES (1024u * 1024) /* the largest record GNU tar may pad to */

struct tar {
	struct entry_source source; /* first */
	struct archive *archive;
	struct archive_entry *entry;
	const struct progress *progress;
	const uint8_t *head; /* what is left of it */
	size_t head_bytes;
	locale_t locale;
	char *name; /* of the archive, for messages */
	int fd;
	bool own_fd, is_file, interrupted;
	int read_errno;
	uint64_t done_bytes, total_bytes, n_entries;
	char last[160]; /* name of the entry before, perhaps cut */
	struct tar_xattrs xattrs;
	uint8_t *buffer;
};

static ssize_t read_head(struct tar *tar)
{
	size_t n = tar->head_bytes < READ_BYTES ? tar->head_bytes : READ_BYTES;

	memcpy(tar->buffer, tar->head, n);
	tar->head += n;
	tar->head_bytes -= n;
	tar->done_bytes += n;
	return (ssize_t)n;
}

static ssize_t read_some(struct tar *tar)
{
	if (tar->head_bytes)
		return read_head(tar);
	for (;;) {
		ssize_t n;

		if (progress_is_stopped(tar->progress)) {
			tar->interrupted = true;
			return -1;
		}
		n = read(tar->fd, tar->buffer, READ_BYTES);
		if (n >= 0) {
			tar->done_bytes += (uint64_t)n;
			return n;
		}
		if (errno != EINTR) {
			tar->read_errno = errno;
			return -1;
		}
	}
}

static la_ssize_t on_read(struct archive *archive, void *self, const void **ret)
{
	struct tar *tar = self;
	ssize_t n = read_some(tar);

	if (n < 0)
		archive_set_error(archive, tar->read_errno, "read");
	*ret = tar->buffer;
	return n < 0 ? ARCHIVE_FATAL : n;
}

/* Reading failed below libarchive: 0 if it did not. */
static int read_failed(const struct tar *tar, struct img_err *err)
{
	if (tar->interrupted)
		return img_err_set(err, IMG_E_INTERRUPTED, 0, "interrupted");
	if (tar->read_errno)
		return img_err_set(err, IMG_E_SYS, tar->read_errno,
				   "cannot read %s", tar->name);
	return 0;
}

/* What libarchive found wrong, as a phrase that wants a subject.  @code is
 * what it returned; where the archive just ends it may leave no message. */
static int malformed(struct tar *tar, int code, struct img_err *err)
{
	const char *text = archive_error_string(tar->archive);
	char quoted[ENTRY_QUOTED_MAX];
	int r = read_failed(tar, err);

	if (r < 0)
		return r;
	if (!text || strncmp(text, "Truncated", 9) == 0)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "is cut short: the archive is truncated");
	if (strcmp(text, "Damaged tar archive") == 0)
		return img_err_set(
			err, IMG_E_INPUT, 0, "has a damaged header%s",
			code == ARCHIVE_RETRY ? ": wrong checksum" : "");
	(void)entry_quote(text, quoted);
	return img_err_set(err, IMG_E_INPUT, 0, "cannot be read: %.*s",
			   (int)strlen(quoted) - 2, quoted + 1);
}

/* The same for an entry whose name is not known yet. */
static int header_malformed(struct tar *tar, int code, struct img_err *err)
{
	char quoted[ENTRY_QUOTED_MAX], subject[ENTRY_LABEL_MAX + 16];
	int r = malformed(tar, code, err);

	if (err->code != IMG_E_INPUT)
		return r;
	if (tar->n_entries == 1)
		return entry_blame_as("entry 1", err);
	(void)snprintf(subject, sizeof(subject), "entry %" PRIu64 ", after %s,",
		       tar->n_entries, entry_quote(tar->last, quoted));
	return entry_blame_as(subject, err);
}

static int end_reached(struct tar *tar, struct img_err *err)
{
	/* The marker was read if something was, since this header began. */
	if (archive_filter_bytes(tar->archive, 0) ==
	    archive_read_header_position(tar->archive))
		return img_err_set(err, IMG_E_INPUT, 0,
				   "%s is truncated: it has no end-of-archive "
				   "marker",
				   tar->name);
	/* Whoever writes into the pipe shall not die of our being done. */
	for (uint64_t end = tar->done_bytes + DRAIN_BYTES;
	     !tar->is_file && tar->done_bytes < end && read_some(tar) > 0;)
		;
	return 0;
}

/* Reads one header; ARCHIVE_EOF, ARCHIVE_OK, or less for what cannot be
 * used.  In the C locale libarchive leaves names as they are, and warns when
 * it could not convert one. */
static int header_read(struct tar *tar)
{
	locale_t before = uselocale(tar->locale);
	int r = archive_read_next_header(tar->archive, &tar->entry);
	const char *text = archive_error_string(tar->archive);

	(void)uselocale(before);
	if (r == ARCHIVE_WARN && text &&
	    strstr(text, "can't be converted from"))
		return ARCHIVE_OK;
	if (r == ARCHIVE_OK && text) /* an ACL; it only leaves the message */
		return ARCHIVE_WARN;
	return r;
}

static int tar_next(struct entry_source *self, struct entry *ret,
		    struct img_err *err)
{
	struct tar *tar = (struct tar *)self;
	int r = header_read(tar);

	if (r == ARCHIVE_EOF)
		return end_reached(tar, err);
	tar->n_entries++;
	*ret = (struct entry){ .number = tar->n_entries };
	if (r == ARCHIVE_OK || r == ARCHIVE_WARN)
		ret->path = archive_entry_pathname(tar->entry);
	if (!ret->path)
		return header_malformed(tar, r, err);
	(void)snprintf(tar->last, sizeof(tar->last), "%s", ret->path);
	r = r == ARCHIVE_OK ? tar_entry_read(tar->entry, &tar->xattrs, ret, err)
			    : malformed(tar, r, err);
	return r < 0 ? entry_blame(ret, err) : 1;
}

static int tar_data(struct entry_source *self, struct entry_data *ret,
		    struct img_err *err)
{
	struct tar *tar = (struct tar *)self;
	la_int64_t offset;
	int r = archive_read_data_block(tar->archive, &ret->bytes,
					&ret->size_bytes, &offset);

	if (r == ARCHIVE_EOF)
		return 0;
	if (r != ARCHIVE_OK)
		return malformed(tar, r, err);
	ret->offset_bytes = (uint64_t)offset;
	return 1;
}

static void tar_position(struct entry_source *self, uint64_t *ret_done_bytes,
			 uint64_t *ret_total_bytes)
{
	struct tar *tar = (struct tar *)self;

	*ret_done_bytes = tar->done_bytes;
	*ret_total_bytes = tar->total_bytes;
}

static void tar_close(struct entry_source *self)
{
	struct tar *tar = (struct tar *)self;

	if (tar->archive)
		(void)archive_read_free(tar->archive); /* nothing to lose */
	if (tar->own_fd)
		(void)close(tar->fd); /* was only read */
	tar_xattrs_release(&tar->xattrs);
	free(tar->buffer);
	free(tar->name);
	free(tar);
}

static int forms_enable(struct archive *archive)
{
	int r = archive_read_support_filter_gzip(archive);

	/* each returns ARCHIVE_OK only where the library itself can do it;
	 * else it would run a program */
	r |= archive_read_support_filter_bzip2(archive);
	r |= archive_read_support_filter_xz(archive);
	r |= archive_read_support_filter_zstd(archive);
	r |= archive_read_support_format_tar(archive);
	return r;
}

static int open_failed(struct tar *tar, struct img_err *err)
{
	const char *text = archive_error_string(tar->archive);
	int r = read_failed(tar, err);

	if (r < 0)
		return r;
	if (text && strcmp(text, "Unrecognized archive format") != 0)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "%s cannot be unpacked: %s", tar->name,
				   text);
	return img_err_set(err, IMG_E_INPUT, 0,
			   "%s is not a tar archive (plain, gzip, bzip2, xz or "
			   "zstd)",
			   tar->name);
}

static int check_file(struct tar *tar, struct img_err *err)
{
	struct stat st;
	off_t at;

	if (fstat(tar->fd, &st) < 0)
		return img_err_sys(err, "cannot look at %s", tar->name);
	if (S_ISDIR(st.st_mode))
		return img_err_set(err, IMG_E_INPUT, 0,
				   "%s is a directory, not a tar archive",
				   tar->name);
	tar->is_file = S_ISREG(st.st_mode);
	at = tar->is_file ? lseek(tar->fd, 0, SEEK_CUR) : -1;
	if (at >= 0 && st.st_size > at)
		tar->total_bytes = (uint64_t)(st.st_size - at);
	return 0;
}

static int archive_begin(struct tar *tar, struct img_err *err)
{
	locale_t before;
	int r;

	tar->archive = archive_read_new();
	if (!tar->archive || forms_enable(tar->archive) != ARCHIVE_OK)
		return img_err_set(err, IMG_E_UNSUPPORTED, 0,
				   "this libarchive cannot read gzip, bzip2, "
				   "xz and zstd");
	before = uselocale(tar->locale);
	r = archive_read_open2(tar->archive, tar, NULL, on_read, NULL, NULL);
	(void)uselocale(before);
	return r == ARCHIVE_OK ? 0 : open_failed(tar, err);
}

static struct tar *tar_new(int fd, bool own_fd, const char *name,
			   const struct tar_options *options)
{
	struct tar *tar = mem_zalloc(sizeof(*tar));

	tar->source = (struct entry_source){ .next = tar_next,
					     .data = tar_data,
					     .position = tar_position,
					     .close = tar_close };
	tar->fd = fd;
	tar->own_fd = own_fd;
	tar->name = mem_strdup(options->name ? options->name : name);
	tar->progress = options->progress;
	tar->head = options->head;
	tar->head_bytes = options->head ? options->head_bytes : 0;
	tar->locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	tar->buffer = mem_alloc(READ_BYTES);
	return tar;
}

static int begin(struct tar *tar, struct entry_source **ret,
		 struct img_err *err)
{
	int r = check_file(tar, err);

	if (r == 0)
		r = archive_begin(tar, err);
	if (r < 0)
		tar_close(&tar->source);
	else
		*ret = &tar->source;
	return r;
}

int tar_source_open_fd(int fd, const struct tar_options *options,
		       struct entry_source **ret, struct img_err *err)
{
	return begin(tar_new(fd, false, "the archive", options), ret, err);
}

int tar_source_open(const char *path, const struct tar_options *options,
		    struct entry_source **ret, struct img_err *err)
{
	int fd;

	if (strcmp(path, "-") == 0)
		return begin(tar_new(STDIN_FILENO, false, "standard input",
				     options),
			     ret, err);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return img_err_sys(err, "cannot open %s", path);
	return begin(tar_new(fd, true, path, options), ret, err);
}
