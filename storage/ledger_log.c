#include "storage/ledger_log.h"

#include "base/cleanup.h"
#include "base/crc32c.h"
#include "base/file.h"
#include "base/num.h"
#include "base/str.h"

#include <endian.h>
#include <stdbool.h>
#include <string.h>

#define BLOCK	   4096u
#define HALF	   (LEDGER_BYTES / 2)
#define HALF_MAGIC UINT64_C(0x494d474c45444752) /* "IMGLEDGR" */
#define REC_MAGIC  0x52434549u
#define FORMAT	   1u
#define WHAT	   "the ledger"

/* Little-endian on disk. */
struct half_header {
	uint64_t magic;
	uint32_t format;
	uint32_t crc; /* of the header with this field zero */
	uint64_t generation;
	uint64_t first_seq;
};

struct record_header {
	uint32_t magic;
	uint32_t crc; /* of header, with this field zero, and payload */
	uint64_t generation;
	uint64_t seq;
	uint32_t volume;
	uint32_t len; /* of the payload in bytes; 0: the volume is gone */
	uint64_t size_bytes;
};

static uint32_t checksum(const void *data, size_t size)
{
	return ~crc32c_update(~0u, data, size);
}

static uint64_t half_start(uint64_t generation)
{
	return generation % 2 * HALF;
}

static void *block_alloc(size_t size)
{
	void *p = aligned_alloc(BLOCK, size);

	if (!p)
		p = mem_alloc(SIZE_MAX); /* ends the program, with a word */
	memset(p, 0, size);
	return p;
}

static size_t record_room(uint32_t len)
{
	return num_align_up(sizeof(struct record_header) + len, BLOCK);
}

static bool is_zero(const char *bytes, size_t size)
{
	return bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0;
}

/* The half's generation, 0 when it holds no valid header; then *ret_blank says
 * whether there never was one. */
static int read_half(int fd, int half, uint64_t *generation,
		     uint64_t *first_seq, bool *ret_blank, struct img_err *err)
{
	img_auto(img_mem_release) char *block = block_alloc(BLOCK);
	struct half_header h;
	uint32_t crc;
	int r;

	*generation = 0;
	r = file_pread(fd, block, BLOCK, (uint64_t)half * HALF, WHAT, err);
	if (r < 0)
		return r;
	*ret_blank = is_zero(block, BLOCK);
	memcpy(&h, block, sizeof(h));
	crc = le32toh(h.crc);
	h.crc = 0;
	if (le64toh(h.magic) != HALF_MAGIC || checksum(&h, sizeof(h)) != crc)
		return 0;
	if (le32toh(h.format) != FORMAT)
		return img_err_set(err, IMG_E_UNSUPPORTED, 0,
				   WHAT " has format %u, this img knows %u",
				   le32toh(h.format), FORMAT);
	if (le64toh(h.generation) % 2 == (uint64_t)half) {
		*generation = le64toh(h.generation);
		*first_seq = le64toh(h.first_seq);
	}
	return 0;
}

static int write_half(int fd, uint64_t generation, uint64_t first_seq,
		      struct img_err *err)
{
	img_auto(img_mem_release) char *block = block_alloc(BLOCK);
	struct half_header h = {
		.magic = htole64(HALF_MAGIC),
		.format = htole32(FORMAT),
		.generation = htole64(generation),
		.first_seq = htole64(first_seq),
	};
	int r;

	h.crc = htole32(checksum(&h, sizeof(h)));
	memcpy(block, &h, sizeof(h));
	r = file_pwrite(fd, block, BLOCK, half_start(generation), WHAT, err);
	if (r == 0 && fdatasync(fd) < 0)
		r = img_err_sys(err, "cannot sync " WHAT);
	return r;
}

/* 1 with the record at @at in *ret (heap, payload NUL-terminated), 0 when the
 * log ends there. */
static int read_record(int fd, const struct ledger_tail *at,
		       struct record_header *ret, char **ret_payload,
		       struct img_err *err)
{
	img_auto(img_mem_release) char *buf = NULL;
	uint64_t end = half_start(at->generation) + HALF;
	struct record_header h;
	uint32_t crc, zero = 0;
	size_t room;
	int r;

	if (at->offset < half_start(at->generation) ||
	    at->offset > end - BLOCK) /* a hint may say anything */
		return 0;
	buf = block_alloc(BLOCK + BLOCK);
	r = file_pread(fd, buf, BLOCK, at->offset, WHAT, err);
	if (r < 0)
		return r;
	memcpy(&h, buf, sizeof(h));
	h.len = le32toh(h.len);
	if (le32toh(h.magic) != REC_MAGIC ||
	    le64toh(h.generation) != at->generation ||
	    le64toh(h.seq) != at->seq || h.len > LEDGER_RECORD_MAX)
		return 0;
	room = record_room(h.len);
	if (at->offset + room > end)
		return 0;
	if (room > BLOCK) {
		img_mem_release(&buf);
		buf = block_alloc(room + BLOCK); /* the rest ends the text */
		r = file_pread(fd, buf, room, at->offset, WHAT, err);
		if (r < 0)
			return r;
	}
	crc = le32toh(h.crc);
	memcpy(buf + offsetof(struct record_header, crc), &zero, sizeof(zero));
	if (checksum(buf, sizeof(h) + h.len) != crc)
		return 0;
	h.volume = le32toh(h.volume);
	h.size_bytes = le64toh(h.size_bytes);
	*ret = h;
	memmove(buf, buf + sizeof(h), h.len);
	buf[h.len] = '\0';
	*ret_payload = img_mem_take(&buf);
	return 1;
}

static void step_over(struct ledger_tail *tail, uint32_t len)
{
	tail->offset += record_room(len);
	tail->seq++;
}

/* 1 with *ret behind the record at @at; 0, and *ret as it was, at the end. */
static int skip_record(int fd, const struct ledger_tail *at,
		       struct ledger_tail *ret, struct img_err *err)
{
	img_auto(img_mem_release) char *payload = NULL;
	struct ledger_tail next = *at;
	struct record_header h;
	int r = read_record(fd, at, &h, &payload, err);

	if (r <= 0)
		return r;
	step_over(&next, h.len);
	*ret = next;
	return 1;
}

int ledger_log_open(int fd, const struct ledger_tail *hint,
		    struct ledger_tail *ret, struct img_err *err)
{
	uint64_t generation[2], first_seq[2];
	struct ledger_tail tail;
	bool blank[2];
	int r, use;

	for (int half = 0; half < 2; half++) {
		r = read_half(fd, half, &generation[half], &first_seq[half],
			      &blank[half], err);
		if (r < 0)
			return r;
	}
	use = generation[1] > generation[0];
	/* Images must not pass for nobody's because of that. */
	if (generation[use] == 0 && !(blank[0] && blank[1]))
		return img_err_set(err, IMG_E_CORRUPT, 0,
				   WHAT " is damaged: neither half has a "
					"valid header");
	if (generation[use] == 0) {
		*ret = (struct ledger_tail){ .seq = 1 };
		return 0;
	}
	tail = (struct ledger_tail){
		.generation = generation[use],
		.offset = half_start(generation[use]) + BLOCK,
		.seq = first_seq[use],
	};
	/* A record at the hint vouches for all before it. */
	if (hint->generation == tail.generation && hint->offset % BLOCK == 0) {
		r = skip_record(fd, hint, &tail, err);
		if (r < 0)
			return r;
	}
	do
		r = skip_record(fd, &tail, &tail, err);
	while (r > 0);
	if (r < 0)
		return r;
	*ret = tail;
	return 0;
}

static int write_record(int fd, struct ledger_tail *tail,
			const struct ledger_record *record, struct img_err *err)
{
	uint32_t len = record->json ? (uint32_t)strlen(record->json) : 0;
	img_auto(img_mem_release) char *buf = NULL;
	struct record_header h = {
		.magic = htole32(REC_MAGIC),
		.generation = htole64(tail->generation),
		.seq = htole64(tail->seq),
		.volume = htole32(record->volume),
		.len = htole32(len),
		.size_bytes = htole64(record->size_bytes),
	};
	int r;

	buf = block_alloc(record_room(len));
	memcpy(buf, &h, sizeof(h));
	if (len)
		memcpy(buf + sizeof(h), record->json, len);
	h.crc = htole32(checksum(buf, sizeof(h) + len));
	memcpy(buf, &h, sizeof(h));
	r = file_pwrite(fd, buf, record_room(len), tail->offset, WHAT, err);
	if (r == 0)
		step_over(tail, len);
	return r;
}

struct copy {
	int fd;
	struct ledger_tail tail;
	const struct ledger_record *coming; /* what wants the room */
};

static int copy_record(void *self, const struct ledger_record *record,
		       struct img_err *err)
{
	struct copy *copy = self;
	uint64_t end = half_start(copy->tail.generation) + HALF;

	if (!copy->coming->json && copy->coming->volume == record->volume)
		return 0;
	if (copy->tail.offset + record_room((uint32_t)strlen(record->json)) >
	    end)
		return img_err_set(err, IMG_E_NO_SPACE, 0,
				   WHAT " of the pool is full");
	return write_record(copy->fd, &copy->tail, record, err);
}

/* Starts the other half with what still holds.  A record that is to go is not
 * copied: the last of all images can be removed from a full ledger. */
static int compact(int fd, struct ledger_tail *tail,
		   const struct ledger_record *coming, struct img_err *err)
{
	uint64_t generation = tail->generation + 1;
	struct copy copy = {
		.fd = fd,
		.coming = coming,
		.tail = { .generation = generation,
			  .offset = half_start(generation) + BLOCK,
			  .seq = tail->seq },
	};
	int r = 0;

	if (tail->generation > 0)
		r = ledger_log_each(fd, tail, copy_record, &copy, err);
	if (r == 0 && fdatasync(fd) < 0)
		r = img_err_sys(err, "cannot sync " WHAT);
	if (r == 0)
		r = write_half(fd, generation, tail->seq, err);
	if (r == 0)
		*tail = copy.tail;
	return r;
}

int ledger_log_append(int fd, const struct ledger_tail *tail,
		      const struct ledger_record *record,
		      struct ledger_tail *ret_at, struct img_err *err)
{
	size_t len = record->json ? strlen(record->json) : 0;
	struct ledger_tail next = *tail;
	int r = 0;

	if (len > LEDGER_RECORD_MAX)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "the image's configuration is larger than "
				   "1 MiB");
	if (next.generation == 0 || next.offset + record_room((uint32_t)len) >
					    half_start(next.generation) + HALF)
		r = compact(fd, &next, record, err);
	*ret_at = next;
	if (r == 0 && !record->json && next.generation != tail->generation)
		return 0; /* that has dropped it */
	if (r == 0 && next.offset + record_room((uint32_t)len) >
			      half_start(next.generation) + HALF)
		r = img_err_set(err, IMG_E_NO_SPACE, 0,
				WHAT " of the pool is full");
	if (r == 0)
		r = write_record(fd, &next, record, err);
	if (r == 0 && fdatasync(fd) < 0)
		r = img_err_sys(err, "cannot sync " WHAT);
	return r;
}

struct last {
	uint32_t volume;
	struct ledger_tail at;
};

static int by_volume(const void *a, const void *b)
{
	const struct last *x = a, *y = b;

	if (x->volume != y->volume)
		return x->volume < y->volume ? -1 : 1;
	return x->at.seq < y->at.seq ? -1 : x->at.seq > y->at.seq;
}

int ledger_log_each(int fd, const struct ledger_tail *tail,
		    int (*fn)(void *self, const struct ledger_record *record,
			      struct img_err *err),
		    void *self, struct img_err *err)
{
	img_auto(img_mem_release) struct last *all = NULL;
	uint64_t generation, first_seq;
	struct ledger_tail at;
	size_t n = 0, room = 0;
	bool blank;
	int r;

	if (tail->generation == 0)
		return 0;
	r = read_half(fd, (int)(tail->generation % 2), &generation, &first_seq,
		      &blank, err);
	if (r < 0)
		return r;
	at = (struct ledger_tail){
		.generation = tail->generation,
		.offset = half_start(tail->generation) + BLOCK,
		.seq = first_seq,
	};
	while (at.offset < tail->offset) {
		img_auto(img_mem_release) char *payload = NULL;
		struct record_header h;

		r = read_record(fd, &at, &h, &payload, err);
		if (r < 0)
			return r;
		if (r == 0)
			return img_err_set(err, IMG_E_CORRUPT, 0,
					   WHAT " is damaged at byte %llu",
					   (unsigned long long)at.offset);
		if (n == room) {
			room = room ? 2 * room : 64;
			all = mem_realloc(all, room * sizeof(*all));
		}
		all[n++] = (struct last){ h.volume, at };
		step_over(&at, h.len);
	}
	if (n)
		qsort(all, n, sizeof(*all), by_volume);
	for (size_t i = 0; i < n; i++) {
		img_auto(img_mem_release) char *payload = NULL;
		struct record_header h;

		if (i + 1 < n && all[i + 1].volume == all[i].volume)
			continue;
		r = read_record(fd, &all[i].at, &h, &payload, err);
		if (r < 0)
			return r;
		if (r == 0 || h.len == 0)
			continue;
		r = fn(self,
		       &(struct ledger_record){ h.volume, h.size_bytes,
						payload },
		       err);
		if (r != 0)
			return r;
	}
	return 0;
}
