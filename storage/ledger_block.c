#include "storage/ledger_block.h"

#include "base/cleanup.h"
#include "base/crc32c.h"
#include "base/file.h"
#include "base/num.h"
#include "base/str.h"

#include <endian.h>
#include <string.h>

#define BLOCK	   LEDGER_BLOCK
#define HALF_MAGIC UINT64_C(0x494d474c45444752) /* "IMGLEDGR" */
#define REC_MAGIC  0x52434549u
#define FORMAT	   1u

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

uint64_t ledger_half_start(uint64_t generation)
{
	return generation % 2 * LEDGER_HALF;
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

int ledger_half_read(int fd, int half, struct ledger_half *ret,
		     struct img_err *err)
{
	img_auto(img_mem_release) char *block = block_alloc(BLOCK);
	struct half_header h;
	uint32_t crc;
	int r;

	*ret = (struct ledger_half){ 0 };
	r = file_pread(fd, block, BLOCK, (uint64_t)half * LEDGER_HALF,
		       LEDGER_NAME, err);
	if (r < 0)
		return r;
	ret->blank = is_zero(block, BLOCK);
	memcpy(&h, block, sizeof(h));
	crc = le32toh(h.crc);
	h.crc = 0;
	if (le64toh(h.magic) != HALF_MAGIC || checksum(&h, sizeof(h)) != crc)
		return 0;
	if (le32toh(h.format) != FORMAT)
		return img_err_set(err, IMG_E_UNSUPPORTED, 0,
				   LEDGER_NAME
				   " has format %u, this img knows %u",
				   le32toh(h.format), FORMAT);
	if (le64toh(h.generation) % 2 == (uint64_t)half) {
		ret->generation = le64toh(h.generation);
		ret->first_seq = le64toh(h.first_seq);
	}
	return 0;
}

int ledger_half_write(int fd, uint64_t generation, uint64_t first_seq,
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
	r = file_pwrite(fd, block, BLOCK, ledger_half_start(generation),
			LEDGER_NAME, err);
	if (r == 0 && fdatasync(fd) < 0)
		r = img_err_sys(err, "cannot sync " LEDGER_NAME);
	return r;
}

int ledger_half_clear(int fd, int half, struct img_err *err)
{
	img_auto(img_mem_release) char *block = block_alloc(BLOCK);
	int r = file_pwrite(fd, block, BLOCK, (uint64_t)half * LEDGER_HALF,
			    LEDGER_NAME, err);

	if (r == 0 && fdatasync(fd) < 0)
		r = img_err_sys(err, "cannot sync " LEDGER_NAME);
	return r;
}

static size_t record_len(const struct ledger_record *record)
{
	return record->json ? strlen(record->json) : 0;
}

bool ledger_block_fits(const struct ledger_tail *tail,
		       const struct ledger_record *record)
{
	return tail->offset + record_room((uint32_t)record_len(record)) <=
	       ledger_half_start(tail->generation) + LEDGER_HALF;
}

static struct ledger_tail behind(const struct ledger_tail *at, uint32_t len)
{
	return (struct ledger_tail){
		.generation = at->generation,
		.offset = at->offset + record_room(len),
		.seq = at->seq + 1,
	};
}

/* 1 with the header, as on disk but for len, and all of the record in *ret;
 * 0 where the log ends. */
static int read_whole(int fd, const struct ledger_tail *at,
		      struct record_header *h, char **ret, struct img_err *err)
{
	img_auto(img_mem_release) char *buf = NULL;
	uint64_t start = ledger_half_start(at->generation);
	uint64_t end = start + LEDGER_HALF;
	size_t room;
	int r;

	/* A hint may say anything. */
	if (at->offset < start || at->offset > end - BLOCK)
		return 0;
	buf = block_alloc(BLOCK + BLOCK);
	r = file_pread(fd, buf, BLOCK, at->offset, LEDGER_NAME, err);
	if (r < 0)
		return r;
	memcpy(h, buf, sizeof(*h));
	h->len = le32toh(h->len);
	if (le32toh(h->magic) != REC_MAGIC ||
	    le64toh(h->generation) != at->generation ||
	    le64toh(h->seq) != at->seq || h->len > LEDGER_RECORD_MAX)
		return 0;
	room = record_room(h->len);
	if (at->offset + room > end)
		return 0;
	if (room > BLOCK) {
		img_mem_release(&buf);
		buf = block_alloc(room + BLOCK); /* the rest ends the text */
		r = file_pread(fd, buf, room, at->offset, LEDGER_NAME, err);
		if (r < 0)
			return r;
	}
	*ret = img_mem_take(&buf);
	return 1;
}

int ledger_block_read(int fd, const struct ledger_tail *at,
		      struct ledger_record *ret, char **ret_json,
		      struct ledger_tail *ret_next, struct img_err *err)
{
	img_auto(img_mem_release) char *buf = NULL;
	const uint32_t zero = 0;
	struct record_header h;
	int r = read_whole(fd, at, &h, &buf, err);

	if (r <= 0)
		return r;
	memcpy(buf + offsetof(struct record_header, crc), &zero, sizeof(zero));
	if (checksum(buf, sizeof(h) + h.len) != le32toh(h.crc))
		return 0;
	memmove(buf, buf + sizeof(h), h.len);
	buf[h.len] = '\0';
	*ret_next = behind(at, h.len);
	*ret = (struct ledger_record){
		.volume = le32toh(h.volume),
		.size_bytes = le64toh(h.size_bytes),
		.json = h.len ? buf : NULL,
		.seq = at->seq,
	};
	*ret_json = img_mem_take(&buf);
	return 1;
}

int ledger_block_write(int fd, struct ledger_tail *tail,
		       const struct ledger_record *record, struct img_err *err)
{
	uint32_t len = (uint32_t)record_len(record);
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
	r = file_pwrite(fd, buf, record_room(len), tail->offset, LEDGER_NAME,
			err);
	if (r == 0)
		*tail = behind(tail, len);
	return r;
}
