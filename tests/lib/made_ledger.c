#include "tests/lib/made_ledger.h"

#include "base/cleanup.h"
#include "base/num.h"
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

int made_ledger_setup(void **state)
{
	struct made_ledger *log = mem_zalloc(sizeof(*log));
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

int made_ledger_teardown(void **state)
{
	struct made_ledger *log = *state;

	(void)munmap(log->bytes, LEDGER_BYTES); /* only memory */
	(void)close(log->fd);
	free(log);
	return 0;
}

int made_append(struct made_ledger *log, uint32_t volume, const char *json,
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

void made_put(struct made_ledger *log, uint32_t volume, const char *json)
{
	struct img_err err = { 0 };

	if (made_append(log, volume, json, &err) < 0)
		fail_msg("%s", err.msg);
}

char *made_text(size_t len, char letter)
{
	char *s = mem_alloc(len + 1);

	memset(s, letter, len);
	s[len] = '\0';
	return s;
}

void made_put_long(struct made_ledger *log, uint32_t volume, size_t len,
		   char letter)
{
	img_auto(img_mem_release) char *s = made_text(len, letter);

	made_put(log, volume, s);
}

struct ledger_tail made_open(const struct made_ledger *log,
			     struct ledger_tail hint)
{
	struct ledger_tail tail;
	struct img_err err = { 0 };

	if (ledger_log_open(log->fd, &hint, &tail, &err) < 0)
		fail_msg("%s", err.msg);
	return tail;
}

struct ledger_tail made_open_anew(const struct made_ledger *log)
{
	return made_open(log, (struct ledger_tail){ 0 });
}

void assert_tail(struct ledger_tail a, struct ledger_tail b)
{
	assert_int_equal(a.generation, b.generation);
	assert_int_equal(a.offset, b.offset);
	assert_int_equal(a.seq, b.seq);
}

int made_print(void *self, const struct ledger_record *record,
	       struct img_err *err)
{
	assert_int_equal(record->size_bytes, record->volume * MIB);
	str_addf(self, "%u=%.4s%zu ", record->volume, record->json,
		 strlen(record->json));
	return 0;
}

void assert_holds(const struct made_ledger *log, const char *expected)
{
	img_auto(str_release) struct str text = { 0 };
	struct ledger_tail tail = made_open_anew(log);
	struct img_err err = { 0 };

	str_add(&text, "");
	if (ledger_log_each(log->fd, &tail, made_print, &text, &err) < 0)
		fail_msg("%s", err.msg);
	assert_string_equal(text.s, expected);
}
