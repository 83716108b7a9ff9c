#include "storage/account.h"

#include "base/cleanup.h"
#include "base/num.h"
#include "base/str.h"
#include "storage/discard.h"
#include "tests/lib/temp_store.h"
#include "tests/unit/storage/meta_image.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

/* The sums of tests/data/meta/shared, as the thin tools see them: see
 * shared.expect, lines "usage" and "delta". */
#define CHUNK (64 * KIB)

static void write_metadata(const struct temp_store *t, const void *data,
			   size_t size)
{
	img_auto(img_mem_release) char *path =
		mem_printf("%s/pool/metadata", t->root);
	img_auto(img_fd_release) int fd =
		open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, size), size);
}

/* Calls @fn for each line of the expectation; returns how many there were. */
static unsigned each_usage(void (*fn)(struct account *account, uint32_t id,
				      uint64_t mapped, uint64_t exclusive),
			   struct account *account)
{
	img_auto(img_stdio_release) FILE *f =
		fopen("tests/data/meta/shared.expect", "re");
	unsigned n = 0, id;
	unsigned long mapped, exclusive;
	char line[256];

	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "usage %u %lu %lu", &id, &mapped,
			   &exclusive) == 3) {
			fn(account, id, mapped, exclusive);
			n++;
		}
	return n;
}

static void check_usage(struct account *account, uint32_t id, uint64_t mapped,
			uint64_t exclusive)
{
	struct account_usage usage;
	struct img_err err = { 0 };

	if (account_volume(account, id, &usage, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(usage.mapped_bytes, mapped * CHUNK);
	assert_int_equal(usage.exclusive_bytes, exclusive * CHUNK);
}

static struct account *open_shared(struct temp_store *t, struct store *store)
{
	struct account *account = NULL;
	struct img_err err = { 0 };
	struct image image;

	image_load(&image, "shared");
	write_metadata(t, image.bytes, IMAGE_BYTES);
	image_free(&image);
	assert_int_equal(account_open(store, &account, &err), 0);
	return account;
}

static void usage_is_what_the_thin_tools_say(void **state)
{
	img_auto(store_close) struct store *store = temp_store_open(*state);
	img_auto(account_close) struct account *account =
		open_shared(*state, store);

	assert_true(each_usage(check_usage, account) > 3);
	check_usage(account, 16777215, 0, 0); /* no such volume */
}

/* What is in the second but not in the first, or differs. */
static uint64_t expected_change(uint32_t a, uint32_t b)
{
	img_auto(img_stdio_release) FILE *f =
		fopen("tests/data/meta/shared.expect", "re");
	unsigned x, y;
	unsigned long begin, length;
	uint64_t sum = 0;
	char line[256], kind[16];

	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "delta %u %u %15s %lu %lu", &x, &y, kind,
			   &begin, &length) == 5 &&
		    x == a && y == b && strcmp(kind, "a") != 0)
			sum += length * CHUNK;
	return sum;
}

static void a_change_is_what_was_added(void **state)
{
	img_auto(store_close) struct store *store = temp_store_open(*state);
	img_auto(account_close) struct account *account =
		open_shared(*state, store);
	img_auto(img_stdio_release) FILE *f =
		fopen("tests/data/meta/shared.expect", "re");
	unsigned a, b, n = 0;
	char line[256];

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		struct img_err err = { 0 };
		uint64_t bytes = 1;

		if (sscanf(line, "delta %u %u", &a, &b) != 2)
			continue;
		assert_int_equal(account_change(account, a, b, &bytes, &err),
				 0);
		assert_int_equal(bytes, expected_change(a, b));
		n++;
	}
	assert_true(n > 3);
}

static void the_host_counts_blocks_not_sizes(void **state)
{
	img_auto(store_close) struct store *store = temp_store_open(*state);
	img_auto(account_close) struct account *account =
		open_shared(*state, store);
	uint64_t bytes = 0;
	struct img_err err = { 0 };

	assert_int_equal(account_host_bytes(account, &bytes, &err), 0);
	assert_true(bytes > 0 && bytes <= 4 * MIB);
}

static void damage_is_reported(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	img_auto(account_close) struct account *account = NULL;
	struct account_usage usage = { 1, 1 };
	struct img_err err = { 0 };

	write_metadata(t, "not a pool's metadata", 21);
	assert_int_equal(account_open(store, &account, &err), 0);
	assert_int_equal(account_volume(account, 1, &usage, &err),
			 -IMG_E_CORRUPT);
	assert_true(err.msg[0]);
	assert_int_equal(usage.mapped_bytes, 0);
}

/* A volume with blocks of its own is opened to be discarded; whatever comes
 * of that, it goes.  One that has none is never made active. */
static void only_what_has_blocks_is_discarded(void **state)
{
	struct temp_store *t = *state;
	img_auto(store_close) struct store *store = temp_store_open(t);
	img_auto(account_close) struct account *account = NULL;
	struct volume volume = { .size_bytes = GIB };

	while (volume.id < 4) /* the first that has blocks of its own */
		volume.id = temp_store_add_volume(store);
	discard_exclusive(store, &volume);
	assert_null(fake_dm_find(t->fake, "4"));
	account = open_shared(t, store);
	discard_exclusive(store, &volume);
	assert_non_null(fake_dm_find(t->fake, "4"));
	volume.id = 3; /* shares all it has */
	discard_exclusive(store, &volume);
	assert_null(fake_dm_find(t->fake, "3"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_in_store(usage_is_what_the_thin_tools_say),
		test_in_store(a_change_is_what_was_added),
		test_in_store(the_host_counts_blocks_not_sizes),
		test_in_store(damage_is_reported),
		test_in_store(only_what_has_blocks_is_discarded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
