#include "storage/ledger_log.h"

#include "base/cleanup.h"
#include "base/crc32c.h"
#include "base/num.h"
#include "base/str.h"
#include "tests/lib/fault.h"

#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#define BLOCK	 4096u
#define HALF	 (LEDGER_BYTES / 2)
#define FIRST_AT (HALF + BLOCK) /* generation 1 is in the second half */

/* As on disk, but in this machine's order: see storage/ledger_log.c. */
struct half_header {
	uint64_t magic;
	uint32_t format, crc;
	uint64_t generation, first_seq;
};

struct record_header {
	uint32_t magic, crc;
	uint64_t generation, seq;
	uint32_t volume, len;
	uint64_t size_bytes;
};

/* A ledger in memory, with the end of its log as the last append left it. */
struct log {
	int fd;
	uint8_t *bytes;
	struct ledger_tail tail, at;
};

static int setup(void **state)
{
	struct log *log = mem_zalloc(sizeof(*log));
	struct ledger_tail none = { 0 };
	struct img_err err = { 0 };

	log->fd = memfd_create("ledger", MFD_CLOEXEC);
	assert_true(log->fd >= 0);
	assert_int_equal(ftruncate(log->fd, LEDGER_BYTES), 0);
	log->bytes = mmap(NULL, LEDGER_BYTES, PROT_READ | PROT_WRITE,
			  MAP_SHARED, log->fd, 0);
	assert_true(log->bytes != MAP_FAILED);
	assert_int_equal(ledger_log_open(log->fd, &none, &log->tail, &err), 0);
	*state = log;
	return 0;
}

static int teardown(void **state)
{
	struct log *log = *state;

	(void)munmap(log->bytes, LEDGER_BYTES); /* only memory */
	(void)close(log->fd);
	free(log);
	return 0;
}

static int append(struct log *log, uint32_t volume, const char *json,
		  struct img_err *err)
{
	const struct ledger_record record = { .volume = volume,
					      .size_bytes = volume * MIB,
					      .json = json };
	struct ledger_tail hint = log->at;
	int r = ledger_log_append(log->fd, &log->tail, &record, &log->at, err);

	if (r == 0)
		r = ledger_log_open(log->fd, &hint, &log->tail, err);
	return r;
}

static void put(struct log *log, uint32_t volume, const char *json)
{
	struct img_err err = { 0 };

	if (append(log, volume, json, &err) < 0)
		fail_msg("%s", err.msg);
}

/* Text of @len letters. */
static char *text_of(size_t len, char letter)
{
	char *s = mem_alloc(len + 1);

	memset(s, letter, len);
	s[len] = '\0';
	return s;
}

static void put_long(struct log *log, uint32_t volume, size_t len, char letter)
{
	img_auto(img_mem_release) char *s = text_of(len, letter);

	put(log, volume, s);
}

static struct ledger_tail open_with(const struct log *log,
				    struct ledger_tail hint)
{
	struct ledger_tail tail;
	struct img_err err = { 0 };

	if (ledger_log_open(log->fd, &hint, &tail, &err) < 0)
		fail_msg("%s", err.msg);
	return tail;
}

static struct ledger_tail open_anew(const struct log *log)
{
	return open_with(log, (struct ledger_tail){ 0 });
}

static void assert_tail(struct ledger_tail a, struct ledger_tail b)
{
	assert_int_equal(a.generation, b.generation);
	assert_int_equal(a.offset, b.offset);
	assert_int_equal(a.seq, b.seq);
}

static int print_record(void *self, const struct ledger_record *record,
			struct img_err *err)
{
	assert_int_equal(record->size_bytes, record->volume * MIB);
	str_addf(self, "%u=%.4s%zu ", record->volume, record->json,
		 strlen(record->json));
	return 0;
}

/* What holds, as "volume=first letters and length " of each. */
static void assert_holds(const struct log *log, const char *expected)
{
	img_auto(str_release) struct str text = { 0 };
	struct ledger_tail tail = open_anew(log);
	struct img_err err = { 0 };

	str_add(&text, "");
	if (ledger_log_each(log->fd, &tail, print_record, &text, &err) < 0)
		fail_msg("%s", err.msg);
	assert_string_equal(text.s, expected);
}

static void a_new_log_is_empty(void **state)
{
	struct log *log = *state;

	assert_tail(log->tail, (struct ledger_tail){ 0, 0, 1 });
	assert_holds(log, "");
}

static void the_last_record_of_a_volume_holds(void **state)
{
	struct log *log = *state;

	put(log, 7, "seven");
	put(log, 2, "two");
	put(log, 5, "five");
	assert_holds(log, "2=two3 5=five4 7=seve5 ");
	put(log, 2, "other");
	put(log, 7, NULL);
	put(log, 9, NULL);
	assert_holds(log, "2=othe5 5=five4 ");
	put_long(log, 7, 3 * BLOCK, 'x');
	put_long(log, 0xffffff, BLOCK - 40, 'y'); /* fills its block */
	assert_holds(log, "2=othe5 5=five4 7=xxxx12288 16777215=yyyy4056 ");
	assert_int_equal(log->tail.generation, 1);
	assert_tail(open_anew(log), log->tail);
}

static int stop(void *self, const struct ledger_record *record,
		struct img_err *err)
{
	return 42;
}

static void a_walk_ends_when_asked(void **state)
{
	struct log *log = *state;
	struct img_err err = { 0 };

	put(log, 1, "a");
	assert_int_equal(ledger_log_each(log->fd, &log->tail, stop, NULL, &err),
			 42);
}

static void a_record_has_a_limit(void **state)
{
	struct log *log = *state;
	img_auto(img_mem_release) char *s = text_of(LEDGER_RECORD_MAX + 1, 'x');
	struct img_err err = { 0 };

	assert_int_equal(append(log, 1, s, &err), -IMG_E_INPUT);
	assert_non_null(strstr(err.msg, "larger than 1 MiB"));
	s[LEDGER_RECORD_MAX] = '\0';
	put(log, 1, s);
	assert_holds(log, "1=xxxx1048576 ");
}

static void a_wrong_hint_only_costs_a_scan(void **state)
{
	struct log *log = *state;
	static const uint64_t offsets[] = {
		0,
		1,
		BLOCK,
		HALF,
		FIRST_AT,
		FIRST_AT + 1,
		HALF - 4096,
		LEDGER_BYTES,
		LEDGER_BYTES - BLOCK,
		UINT64_MAX,
		UINT64_MAX - BLOCK + 1,
		UINT64_C(1) << 63,
	};

	put(log, 1, "a");
	put_long(log, 2, 2 * BLOCK, 'b');
	put(log, 3, "c");
	for (size_t i = 0; i < IMG_COUNT(offsets); i++)
		for (uint64_t generation = 0; generation < 4; generation++)
			for (uint64_t seq = 0; seq < 5; seq++)
				assert_tail(open_with(log,
						      (struct ledger_tail){
							      generation,
							      offsets[i],
							      seq }),
					    log->tail);
	assert_tail(open_with(log, log->at), log->tail);
	assert_tail(open_with(log, log->tail), log->tail);
}

/* Every length to which a crash can cut the last record. */
static void a_torn_record_ends_the_log(void **state)
{
	struct log *log = *state;
	uint8_t whole[2 * BLOCK];
	struct ledger_tail before;
	size_t len = sizeof(struct record_header) + 100;

	put(log, 1, "a");
	before = log->tail;
	put_long(log, 2, 100, 'b');
	memcpy(whole, log->bytes + before.offset, sizeof(whole));
	for (size_t cut = 0; cut < len; cut++) {
		memset(log->bytes + before.offset, 0, BLOCK);
		memcpy(log->bytes + before.offset, whole, cut);
		assert_tail(open_anew(log), before);
		assert_tail(open_with(log, log->at), before);
	}
	assert_holds(log, "1=a1 ");
	/* The next one takes its place. */
	log->tail = before;
	put(log, 3, "c");
	assert_holds(log, "1=a1 3=c1 ");
	assert_int_equal(log->at.offset, before.offset);
}

static void no_byte_of_a_record_changes_unseen(void **state)
{
	struct log *log = *state;
	struct ledger_tail before;
	uint8_t *record;

	put(log, 1, "a");
	before = log->tail;
	put_long(log, 2, 100, 'b');
	record = log->bytes + before.offset;
	for (size_t i = 0; i < sizeof(struct record_header) + 100; i++) {
		record[i] ^= 0x10;
		assert_tail(open_anew(log), before);
		record[i] ^= 0x10;
	}
	assert_tail(open_anew(log), log->tail);
}

static void a_long_record_torn_between_blocks(void **state)
{
	struct log *log = *state;
	struct ledger_tail before;

	put(log, 1, "a");
	before = log->tail;
	put_long(log, 2, 5 * BLOCK, 'b');
	for (unsigned block = 0; block < 6; block++) {
		uint8_t saved[BLOCK], *at;

		at = log->bytes + before.offset + (size_t)block * BLOCK;
		memcpy(saved, at, BLOCK);
		memset(at, 0, BLOCK);
		assert_tail(open_anew(log), before);
		memcpy(at, saved, BLOCK);
	}
	assert_tail(open_anew(log), log->tail);
}

/* A hint vouches for what lies before it. */
static void damage_before_the_end_is_no_end(void **state)
{
	struct log *log = *state;
	struct img_err err = { 0 };
	struct str none = { 0 };

	put(log, 1, "a");
	put(log, 2, "b");
	put(log, 3, "c");
	log->bytes[FIRST_AT + BLOCK + sizeof(struct record_header)] ^= 1;
	assert_tail(open_with(log, log->at), log->tail);
	assert_int_equal(ledger_log_each(log->fd, &log->tail, print_record,
					 &none, &err),
			 -IMG_E_CORRUPT);
	assert_non_null(strstr(err.msg, "the ledger is damaged at byte"));
	str_release(&none);
}

static void many_generations(void **state)
{
	struct log *log = *state;
	size_t len = 900 * KIB;

	put(log, 1, "stays");
	for (unsigned i = 0; i < 130; i++) {
		put_long(log, 2 + i % 3, len, (char)('a' + i % 26));
		if (i % 17 == 0)
			assert_tail(open_anew(log), log->tail);
	}
	assert_true(log->tail.generation >= 4);
	assert_holds(log, "1=stay5 2=zzzz921600 3=xxxx921600 4=yyyy921600 ");
}

/* Four images of whom much was written, up to the last block. */
static void fill(struct log *log)
{
	for (uint32_t id = 1; id <= 31; id++)
		put_long(log, id % 4 + 1, LEDGER_RECORD_MAX - BLOCK, 'x');
	while (log->tail.offset + BLOCK <= LEDGER_BYTES)
		put(log, 99, "small");
	assert_int_equal(log->tail.generation, 1);
}

static void a_full_log_says_so(void **state)
{
	struct log *log = *state;
	img_auto(img_mem_release) char *s = text_of(LEDGER_RECORD_MAX, 'y');
	struct img_err err = { 0 };
	struct ledger_tail before;

	for (uint32_t id = 1; id <= 31; id++)
		put_long(log, id, LEDGER_RECORD_MAX, 'x');
	before = log->tail;
	assert_int_equal(append(log, 32, s, &err), -IMG_E_NO_SPACE);
	assert_string_equal(err.msg, "the ledger of the pool is full");
	/* All that holds still does, and smaller ones fit. */
	log->tail = open_anew(log);
	assert_true(log->tail.seq >= before.seq);
	put(log, 33, "small");
	for (uint32_t id = 2; id <= 31; id++)
		put(log, id, NULL);
	assert_holds(log, "1=xxxx1048576 33=smal5 ");
}

static void a_record_leaves_a_full_log(void **state)
{
	struct log *log = *state;
	struct ledger_tail tail;

	/* Records of one block, all of which hold, up to the last block. */
	for (uint32_t id = 1; id < HALF / BLOCK; id++)
		put(log, id, "x");
	tail = log->tail;
	assert_int_equal(tail.offset, LEDGER_BYTES);
	put(log, 17, NULL);
	assert_int_equal(log->tail.generation, 2);
	assert_int_equal(log->tail.offset, HALF - BLOCK);
	put(log, 17, "y");
	put(log, 18, NULL);
	assert_int_equal(log->tail.offset, LEDGER_BYTES - BLOCK);
}

/* Wherever moving to the other half fails, the half in use stays good. */
static void a_move_that_fails_changes_nothing(void **state)
{
	struct log *log = *state;
	struct ledger_tail full;
	unsigned n = 1, steps;

	fill(log);
	full = log->tail;
	for (;; n++) {
		struct img_err err = { 0 };
		int r;

		fault_arm(FAULT_FAIL, n);
		r = append(log, 100, "new", &err);
		steps = fault_disarm();
		/* The space ahead, which comes last, is no need. */
		if (steps < n || r == 0)
			break;
		assert_int_equal(r, -IMG_E_SYS);
		log->tail = open_anew(log);
		/* The last two steps are the record's own. */
		assert_int_equal(log->tail.generation > full.generation,
				 log->tail.offset < HALF);
		/* Only the other half was written to. */
		memset(log->bytes, 0, BLOCK);
		assert_tail(open_anew(log), full);
		log->tail = full;
	}
	assert_true(n > 8);
	assert_int_equal(log->tail.generation, 2);
}

static void damaged_headers(void **state)
{
	struct log *log = *state;
	struct ledger_tail none = { 0 }, tail;

	put(log, 1, "a");
	for (size_t i = 0; i < sizeof(struct half_header); i++) {
		struct img_err err = { 0 };

		log->bytes[HALF + i] ^= 4;
		assert_int_equal(ledger_log_open(log->fd, &none, &tail, &err),
				 -IMG_E_CORRUPT);
		assert_string_equal(err.msg, "the ledger is damaged: neither "
					     "half has a valid header");
		log->bytes[HALF + i] ^= 4;
	}
	assert_holds(log, "1=a1 ");
}

/* A half that says it is the other one is no half. */
static void seal(struct log *log, size_t at, struct half_header *h)
{
	h->crc = 0;
	h->crc = htole32(~crc32c_update(UINT32_MAX, h, sizeof(*h)));
	memcpy(log->bytes + at, h, sizeof(*h));
}

static void a_header_of_the_wrong_half(void **state)
{
	struct log *log = *state;
	struct half_header h;

	put(log, 1, "a");
	memcpy(&h, log->bytes + HALF, sizeof(h));
	h.generation = htole64(99); /* odd: belongs into the second half */
	seal(log, 0, &h);
	assert_holds(log, "1=a1 ");
	assert_tail(open_anew(log), log->tail);
}

static void a_format_of_a_later_day(void **state)
{
	struct log *log = *state;
	struct ledger_tail none = { 0 }, tail;
	struct img_err err = { 0 };
	struct half_header h;

	put(log, 1, "a");
	memcpy(&h, log->bytes + HALF, sizeof(h));
	h.format = htole32(2);
	seal(log, HALF, &h);
	assert_int_equal(ledger_log_open(log->fd, &none, &tail, &err),
			 -IMG_E_UNSUPPORTED);
	assert_string_equal(err.msg,
			    "the ledger has format 2, this img knows 1");
}

static void a_short_device(void **state)
{
	struct log *log = *state;
	struct ledger_tail none = { 0 }, tail;
	struct img_err err = { 0 };

	assert_int_equal(ftruncate(log->fd, (off_t)HALF), 0);
	assert_int_equal(ledger_log_open(log->fd, &none, &tail, &err),
			 -IMG_E_CORRUPT);
	assert_string_equal(err.msg, "the ledger ends too early");
	assert_int_equal(ftruncate(log->fd, LEDGER_BYTES), 0);
}

#define test_of_log(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_of_log(a_new_log_is_empty),
		test_of_log(the_last_record_of_a_volume_holds),
		test_of_log(a_walk_ends_when_asked),
		test_of_log(a_record_has_a_limit),
		test_of_log(a_wrong_hint_only_costs_a_scan),
		test_of_log(a_torn_record_ends_the_log),
		test_of_log(no_byte_of_a_record_changes_unseen),
		test_of_log(a_long_record_torn_between_blocks),
		test_of_log(damage_before_the_end_is_no_end),
		test_of_log(many_generations),
		test_of_log(a_full_log_says_so),
		test_of_log(a_record_leaves_a_full_log),
		test_of_log(a_move_that_fails_changes_nothing),
		test_of_log(damaged_headers),
		test_of_log(a_header_of_the_wrong_half),
		test_of_log(a_format_of_a_later_day),
		test_of_log(a_short_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
