/*
 * log_replay LOG list
 * log_replay LOG replay FILE INDEX SECTOR COUNT
 *
 * Reads what dm-log-writes wrote to LOG.  "list" prints a line for each entry
 * at which a power cut may stop the replay: "INDEX SECTOR flush|fua", where
 * INDEX entries come before and including it and the next begins at SECTOR of
 * the log, or "INDEX SECTOR mark TEXT".  "replay" writes COUNT entries to FILE,
 * from the one that INDEX and SECTOR of such a line point to on (0 and 0: from
 * the first), and prints how many bytes that were.
 *
 * dm-log-writes logs a write when a flush has made it durable, or at once when
 * it is FUA: so what stands before a flush in the log is just what a disk must
 * have after it.
 *
 * Source: drivers/md/dm-log-writes.c, Documentation/admin-guide/device-mapper/
 * log-writes.rst.
 */
#include <endian.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAGIC	     UINT64_C(0x6a736677736872)
#define VERSION	     1u
#define SECTOR_BYTES 512u
#define COPY_BYTES   (1u << 20)

enum {
	FLUSH = 1,
	FUA = 2,
	DISCARD = 4,
	MARK = 8,
};

/* Little-endian on disk. */
struct super {
	uint64_t magic;
	uint64_t version;
	uint64_t n_entries;
	uint32_t sector_bytes;
};

struct entry {
	uint64_t sector;
	uint64_t n_sectors;
	uint64_t flags;
	uint64_t data_bytes; /* of a mark's text, which follows */
};

struct log {
	const char *path;
	int fd;
	uint64_t n_entries, sector_bytes;
	uint64_t index, sector; /* of the next entry */
	struct entry entry;	/* the last that was read */
	char text[SECTOR_BYTES];
};

static void fail(const char *what, const char *on)
{
	perror(on);
	(void)fprintf(stderr, "log_replay: %s: %s\n", on, what);
	exit(1);
}

static void read_at(const struct log *log, void *buf, size_t n, uint64_t at)
{
	if (pread(log->fd, buf, n, (off_t)at) != (ssize_t)n)
		fail("cannot be read", log->path);
}

static void open_log(struct log *log, const char *path)
{
	struct super super;

	*log = (struct log){ .path = path, .sector = 1 };
	log->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (log->fd < 0)
		fail("cannot be opened", path);
	read_at(log, &super, sizeof(super), 0);
	log->n_entries = le64toh(super.n_entries);
	log->sector_bytes = le32toh(super.sector_bytes);
	if (le64toh(super.magic) != MAGIC ||
	    le64toh(super.version) != VERSION ||
	    log->sector_bytes < SECTOR_BYTES)
		fail("is no log of dm-log-writes", path);
}

/* 0 at the end.  *ret_data is where the entry's data are in the log. */
static int next(struct log *log, uint64_t *ret_data)
{
	struct entry *e = &log->entry;
	char block[SECTOR_BYTES];

	if (log->index == log->n_entries)
		return 0;
	read_at(log, block, sizeof(block), log->sector * log->sector_bytes);
	memcpy(e, block, sizeof(*e));
	e->sector = le64toh(e->sector);
	e->n_sectors = le64toh(e->n_sectors);
	e->flags = le64toh(e->flags);
	e->data_bytes = le64toh(e->data_bytes);
	log->text[0] = '\0';
	if (e->flags & MARK && e->data_bytes < SECTOR_BYTES - sizeof(*e)) {
		memcpy(log->text, block + sizeof(*e), e->data_bytes);
		log->text[e->data_bytes] = '\0';
	}
	log->sector++;
	*ret_data = log->sector * log->sector_bytes;
	if (!(e->flags & DISCARD))
		log->sector += e->n_sectors;
	log->index++;
	return 1;
}

static void list(struct log *log)
{
	uint64_t data;

	while (next(log, &data)) {
		uint64_t flags = log->entry.flags;

		if (!(flags & (FLUSH | FUA | MARK)))
			continue;
		(void)printf("%llu %llu %s%s%s\n",
			     (unsigned long long)log->index,
			     (unsigned long long)log->sector,
			     flags & MARK    ? "mark"
			     : flags & FLUSH ? "flush"
					     : "fua",
			     log->text[0] ? " " : "", log->text);
	}
}

static void copy(const struct log *log, int file, const char *path,
		 uint64_t from, uint64_t to, uint64_t n)
{
	static char buf[COPY_BYTES];

	while (n > 0) {
		size_t part = n < sizeof(buf) ? (size_t)n : sizeof(buf);

		read_at(log, buf, part, from);
		if (pwrite(file, buf, part, (off_t)to) != (ssize_t)part)
			fail("cannot be written", path);
		from += part;
		to += part;
		n -= part;
	}
}

static void replay(struct log *log, const char *path, uint64_t count)
{
	int file = open(path, O_WRONLY | O_CLOEXEC);
	uint64_t data, bytes = 0;

	if (file < 0)
		fail("cannot be opened", path);
	while (count-- > 0 && next(log, &data)) {
		const struct entry *e = &log->entry;
		uint64_t n = e->n_sectors * log->sector_bytes;
		off_t to = (off_t)(e->sector * log->sector_bytes);

		if (e->flags & MARK || n == 0)
			continue;
		bytes += n;
		if (!(e->flags & DISCARD))
			copy(log, file, path, data, (uint64_t)to, n);
		else if (fallocate(file,
				   FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				   to, (off_t)n) < 0)
			fail("cannot be discarded", path);
	}
	if (fsync(file) < 0 || close(file) < 0)
		fail("cannot be synced", path);
	(void)printf("%llu\n", (unsigned long long)bytes);
}

int main(int argc, char **argv)
{
	struct log log;

	if (argc < 3)
		return 2;
	open_log(&log, argv[1]);
	if (argc == 3 && strcmp(argv[2], "list") == 0) {
		list(&log);
	} else if (argc == 7 && strcmp(argv[2], "replay") == 0) {
		log.index = strtoull(argv[4], NULL, 10);
		if (log.index)
			log.sector = strtoull(argv[5], NULL, 10);
		replay(&log, argv[3], strtoull(argv[6], NULL, 10));
	} else {
		return 2;
	}
	return fflush(stdout) != 0;
}
