#include "storage/ledger_log.h"

#include "base/crc32c.h"
#include "base/str.h"
#include "tests/lib/made_ledger.h"

#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* What a torn write, a worn disk or another day leaves of a ledger. */

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

/* Every length to which a crash can cut the last record. */
static void a_torn_record_ends_the_log(void **state)
{
	struct made_ledger *log = *state;
	uint8_t whole[2 * BLOCK];
	struct ledger_tail before;
	size_t len = sizeof(struct record_header) + 100;

	made_put(log, 1, "a");
	before = log->tail;
	made_put_long(log, 2, 100, 'b');
	memcpy(whole, log->bytes + before.offset, sizeof(whole));
	for (size_t cut = 0; cut < len; cut++) {
		memset(log->bytes + before.offset, 0, BLOCK);
		memcpy(log->bytes + before.offset, whole, cut);
		assert_tail(made_open_anew(log), before);
		assert_tail(made_open(log, log->at), before);
	}
	assert_holds(log, "1=a1 ");
	/* The next one takes its place. */
	log->tail = before;
	made_put(log, 3, "c");
	assert_holds(log, "1=a1 3=c1 ");
	assert_int_equal(log->at.offset, before.offset);
}

static void no_byte_of_a_record_changes_unseen(void **state)
{
	struct made_ledger *log = *state;
	struct ledger_tail before;
	uint8_t *record;

	made_put(log, 1, "a");
	before = log->tail;
	made_put_long(log, 2, 100, 'b');
	record = log->bytes + before.offset;
	for (size_t i = 0; i < sizeof(struct record_header) + 100; i++) {
		record[i] ^= 0x10;
		assert_tail(made_open_anew(log), before);
		record[i] ^= 0x10;
	}
	assert_tail(made_open_anew(log), log->tail);
}

static void a_long_record_torn_between_blocks(void **state)
{
	struct made_ledger *log = *state;
	struct ledger_tail before;

	made_put(log, 1, "a");
	before = log->tail;
	made_put_long(log, 2, 5 * BLOCK, 'b');
	for (unsigned block = 0; block < 6; block++) {
		uint8_t saved[BLOCK], *at;

		at = log->bytes + before.offset + (size_t)block * BLOCK;
		memcpy(saved, at, BLOCK);
		memset(at, 0, BLOCK);
		assert_tail(made_open_anew(log), before);
		memcpy(at, saved, BLOCK);
	}
	assert_tail(made_open_anew(log), log->tail);
}

/* A hint vouches for what lies before it. */
static void damage_before_the_end_is_no_end(void **state)
{
	struct made_ledger *log = *state;
	struct img_err err = { 0 };
	struct str none = { 0 };

	made_put(log, 1, "a");
	made_put(log, 2, "b");
	made_put(log, 3, "c");
	log->bytes[FIRST_AT + BLOCK + sizeof(struct record_header)] ^= 1;
	assert_tail(made_open(log, log->at), log->tail);
	assert_int_equal(ledger_log_each(log->fd, &log->tail, made_print, &none,
					 &err),
			 -IMG_E_CORRUPT);
	assert_non_null(strstr(err.msg, "the ledger is damaged at byte"));
	str_release(&none);
}

static void damaged_headers(void **state)
{
	struct made_ledger *log = *state;
	struct ledger_tail none = { 0 }, tail;

	made_put(log, 1, "a");
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

static void seal(struct made_ledger *log, size_t at, struct half_header *h)
{
	h->crc = 0;
	h->crc = htole32(~crc32c_update(UINT32_MAX, h, sizeof(*h)));
	memcpy(log->bytes + at, h, sizeof(*h));
}

/* A half that says it is the other one is no half. */
static void a_header_of_the_wrong_half(void **state)
{
	struct made_ledger *log = *state;
	struct half_header h;

	made_put(log, 1, "a");
	memcpy(&h, log->bytes + HALF, sizeof(h));
	h.generation = htole64(99); /* odd: belongs into the second half */
	seal(log, 0, &h);
	assert_holds(log, "1=a1 ");
	assert_tail(made_open_anew(log), log->tail);
}

static void a_format_of_a_later_day(void **state)
{
	struct made_ledger *log = *state;
	struct ledger_tail none = { 0 }, tail;
	struct img_err err = { 0 };
	struct half_header h;

	made_put(log, 1, "a");
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
	struct made_ledger *log = *state;
	struct ledger_tail none = { 0 }, tail;
	struct img_err err = { 0 };

	assert_int_equal(ftruncate(log->fd, (off_t)HALF), 0);
	assert_int_equal(ledger_log_open(log->fd, &none, &tail, &err),
			 -IMG_E_CORRUPT);
	assert_string_equal(err.msg, "the ledger ends too early");
	assert_int_equal(ftruncate(log->fd, LEDGER_BYTES), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_ledger(a_torn_record_ends_the_log),
		test_in_ledger(no_byte_of_a_record_changes_unseen),
		test_in_ledger(a_long_record_torn_between_blocks),
		test_in_ledger(damage_before_the_end_is_no_end),
		test_in_ledger(damaged_headers),
		test_in_ledger(a_header_of_the_wrong_half),
		test_in_ledger(a_format_of_a_later_day),
		test_in_ledger(a_short_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
