#include "storage/ledger_log.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "storage/ledger_block.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Space that the log always has before it, if the pool had some. */
#define AHEAD (UINT64_C(128) << 10)

/* 1 with *ret behind the record at @at; 0, and *ret as it was, at the end. */
static int skip_record(int fd, const struct ledger_tail *at,
		       struct ledger_tail *ret, struct img_err *err)
{
	img_auto(img_mem_release) char *json = NULL;
	struct ledger_record record;

	return ledger_block_read(fd, at, &record, &json, ret, err);
}

/* Where the first record of a half is. */
static struct ledger_tail first_of(const struct ledger_half *half)
{
	return (struct ledger_tail){
		.generation = half->generation,
		.offset = ledger_half_start(half->generation) + LEDGER_BLOCK,
		.seq = half->first_seq,
	};
}

/* 1 with the half in use, 0 when the ledger was never written. */
static int find_half(int fd, struct ledger_half *ret, struct img_err *err)
{
	struct ledger_half half[2];

	for (int i = 0; i < 2; i++) {
		int r = ledger_half_read(fd, i, &half[i], err);

		if (r < 0)
			return r;
	}
	*ret = half[half[1].generation > half[0].generation];
	if (ret->generation > 0)
		return 1;
	if (half[0].blank && half[1].blank)
		return 0;
	/* Images must not pass for nobody's because of that. */
	return img_err_set(err, IMG_E_CORRUPT, 0,
			   LEDGER_NAME
			   " is damaged: neither half has a valid header");
}

int ledger_log_open(int fd, const struct ledger_tail *hint,
		    struct ledger_tail *ret, struct img_err *err)
{
	struct ledger_half half;
	struct ledger_tail tail;
	int r = find_half(fd, &half, err);

	if (r < 0)
		return r;
	if (r == 0) {
		*ret = (struct ledger_tail){ .seq = 1 };
		return 0;
	}
	tail = first_of(&half);
	/* A record at the hint vouches for all before it. */
	if (hint->generation == tail.generation &&
	    hint->offset % LEDGER_BLOCK == 0) {
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

int ledger_log_clear(int fd, struct img_err *err)
{
	int r = ledger_half_clear(fd, 0, err);

	return r < 0 ? r : ledger_half_clear(fd, 1, err);
}

struct copy {
	int fd;
	struct ledger_tail tail;
	const struct ledger_record *coming; /* what wants the room */
};

static int is_full(struct img_err *err)
{
	return img_err_set(err, IMG_E_NO_SPACE, 0,
			   LEDGER_NAME " of the pool is full");
}

static int copy_record(void *self, const struct ledger_record *record,
		       struct img_err *err)
{
	struct copy *copy = self;

	if (!copy->coming->json && copy->coming->volume == record->volume)
		return 0;
	if (!ledger_block_fits(&copy->tail, record))
		return is_full(err);
	return ledger_block_write(copy->fd, &copy->tail, record, err);
}

static int sync_log(int fd, struct img_err *err)
{
	return fdatasync(fd) < 0 ? img_err_sys(err, "cannot sync " LEDGER_NAME)
				 : 0;
}

/* Starts the other half with what still holds.  A record that is to go is not
 * copied: the last of all images can be removed from a full ledger. */
static int compact(int fd, struct ledger_tail *tail,
		   const struct ledger_record *coming, struct img_err *err)
{
	const struct ledger_half half = {
		.generation = tail->generation + 1,
		.first_seq = tail->seq,
	};
	struct copy copy = {
		.fd = fd,
		.tail = first_of(&half),
		.coming = coming,
	};
	int r = 0;

	if (tail->generation > 0)
		r = ledger_log_each(fd, tail, copy_record, &copy, err);
	if (r == 0)
		r = sync_log(fd, err);
	if (r == 0)
		r = ledger_half_write(fd, half.generation, half.first_seq, err);
	if (r == 0)
		*tail = copy.tail;
	return r;
}

static void write_zeroes(int fd, uint64_t begin, uint64_t end)
{
	uint64_t size = end - begin;
	void *zeroes =
		mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct img_err dropped = { 0 }; /* then a full pool may refuse more */

	if (zeroes == MAP_FAILED)
		return;
	IMG_IGNORE(file_pwrite(fd, zeroes, size, begin, LEDGER_NAME, &dropped));
	(void)munmap(zeroes, size);
}

/*
 * Has the pool give space to the records that come next, so that what says
 * that images are gone can be written when the pool is full.  Its first block
 * too: without that a flush of the device fails then, whatever was written
 * (dm-thin.c takes an empty flush for a write of block 0).
 */
static void provision(int fd, const struct ledger_tail *before,
		      const struct ledger_tail *after)
{
	uint64_t half_end = ledger_half_start(after->generation) + LEDGER_HALF;
	uint64_t begin = before->offset / AHEAD * AHEAD + 2 * AHEAD;
	uint64_t end = after->offset / AHEAD * AHEAD + 2 * AHEAD;

	/* Behind what was there before, never into a record. */
	if (before->generation != after->generation || begin < after->offset)
		begin = after->offset;
	if (end > half_end)
		end = half_end;
	if (begin < end)
		write_zeroes(fd, begin, end);
	if (before->generation == 0) {
		begin = ledger_half_start(after->generation + 1);
		write_zeroes(fd, begin, begin + LEDGER_BLOCK);
	}
}

int ledger_log_append(int fd, const struct ledger_tail *tail,
		      const struct ledger_record *record,
		      struct ledger_tail *ret_at, struct img_err *err)
{
	struct ledger_tail next = *tail;
	int r = 0;

	if (record->json && strlen(record->json) > LEDGER_RECORD_MAX)
		return img_err_set(err, IMG_E_INPUT, 0,
				   "the image's configuration is larger than "
				   "1 MiB");
	if (next.generation == 0 || !ledger_block_fits(&next, record))
		r = compact(fd, &next, record, err);
	if (r < 0)
		return r;
	*ret_at = next;
	if (!record->json && next.generation != tail->generation)
		return 0; /* that has dropped it */
	if (!ledger_block_fits(&next, record))
		return is_full(err);
	r = ledger_block_write(fd, &next, record, err);
	if (r == 0)
		r = sync_log(fd, err);
	if (r == 0)
		provision(fd, tail, &next);
	return r;
}

/* Where the last record of a volume is. */
struct last {
	uint32_t volume;
	struct ledger_tail at;
};

struct lasts {
	struct last *all;
	size_t n, room;
};

static void lasts_release(struct lasts *l)
{
	img_mem_release(&l->all);
}

static int by_volume(const void *a, const void *b)
{
	const struct last *x = a, *y = b;

	if (x->volume != y->volume)
		return x->volume < y->volume ? -1 : 1;
	return x->at.seq < y->at.seq ? -1 : x->at.seq > y->at.seq;
}

/* All records up to @tail, by volume and then by age. */
static int list_records(int fd, const struct ledger_tail *tail, struct lasts *l,
			struct img_err *err)
{
	struct ledger_half half;
	struct ledger_tail at;
	int r = ledger_half_read(fd, (int)(tail->generation % 2), &half, err);

	if (r < 0)
		return r;
	at = first_of(&half);
	while (at.offset < tail->offset) {
		img_auto(img_mem_release) char *json = NULL;
		struct ledger_record record;
		struct ledger_tail here = at;

		r = ledger_block_read(fd, &here, &record, &json, &at, err);
		if (r < 0)
			return r;
		if (r == 0)
			return img_err_set(err, IMG_E_CORRUPT, 0,
					   LEDGER_NAME
					   " is damaged at byte %llu",
					   (unsigned long long)at.offset);
		if (l->n == l->room) {
			l->room = l->room ? 2 * l->room : 64;
			l->all = mem_realloc(l->all, l->room * sizeof(*l->all));
		}
		l->all[l->n++] = (struct last){ record.volume, here };
	}
	if (l->n)
		qsort(l->all, l->n, sizeof(*l->all), by_volume);
	return 0;
}

int ledger_log_each(int fd, const struct ledger_tail *tail,
		    int (*fn)(void *self, const struct ledger_record *record,
			      struct img_err *err),
		    void *self, struct img_err *err)
{
	img_auto(lasts_release) struct lasts l = { 0 };
	int r = 0;

	if (tail->generation > 0)
		r = list_records(fd, tail, &l, err);
	for (size_t i = 0; r == 0 && i < l.n; i++) {
		img_auto(img_mem_release) char *json = NULL;
		struct ledger_record record;
		struct ledger_tail next;

		if (i + 1 < l.n && l.all[i + 1].volume == l.all[i].volume)
			continue;
		r = ledger_block_read(fd, &l.all[i].at, &record, &json, &next,
				      err);
		if (r < 0)
			return r;
		r = r > 0 && record.json ? fn(self, &record, err) : 0;
	}
	return r;
}
