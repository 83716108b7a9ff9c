#include "storage/snap_cow.h"

#include "base/cleanup.h"
#include "base/num.h"
#include "storage/snap.h"

#include <endian.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cmocka.h>

/*
 * Exception stores as the kernel writes them, and as it never would; copies of
 * files with holes.
 */

#define CHUNK 4096u
#define PAIRS (CHUNK / 16)
#define DATA  (8 * MIB)

static int new_file(uint64_t size)
{
	int fd = memfd_create("store", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	return fd;
}

static void put(int fd, uint64_t at, const void *bytes, size_t size)
{
	assert_int_equal(pwrite(fd, bytes, size, (off_t)at), size);
}

static void put_header(int fd, uint32_t magic, uint32_t valid, uint32_t version,
		       uint32_t sectors)
{
	const uint32_t header[] = { htole32(magic), htole32(valid),
				    htole32(version), htole32(sectors) };

	put(fd, 0, header, sizeof(header));
}

/* The n-th exception, in whichever area that is. */
static void put_pair(int fd, uint64_t n, uint64_t old_chunk, uint64_t new_chunk)
{
	const uint64_t pair[] = { htole64(old_chunk), htole64(new_chunk) };
	uint64_t area = n / PAIRS;

	put(fd, (1 + area * (PAIRS + 1)) * CHUNK + n % PAIRS * sizeof(pair),
	    pair, sizeof(pair));
}

/* Where the kernel puts the data of the n-th. */
static uint64_t data_chunk(uint64_t n)
{
	return 2 + n + n / PAIRS;
}

static int new_store(void)
{
	int fd = new_file(snap_cow_bytes(DATA, CHUNK));

	put_header(fd, 0x70416e53, 1, 1, CHUNK / 512);
	return fd;
}

struct seen {
	uint64_t n, stop_at, last_old;
};

static int see(void *self, const struct snap_exception *exception,
	       struct img_err *err)
{
	struct seen *seen = self;

	assert_int_equal(exception->new_offset, data_chunk(seen->n) * CHUNK);
	seen->last_old = exception->old_offset;
	return ++seen->n == seen->stop_at ? 7 : 0;
}

static int walk(int fd, struct seen *seen, struct img_err *err)
{
	struct snap_cow cow;
	int r = snap_cow_open(fd, "the store", &cow, err);

	return r < 0 ? r : snap_cow_each(fd, "the store", &cow, see, seen, err);
}

static void the_size_holds_every_change(void **state)
{
	/* A header, two areas of pairs, one more that is begun, the data. */
	assert_int_equal(snap_cow_bytes(2 * PAIRS * CHUNK, CHUNK),
			 (1 + 2 + 1 + 2 * PAIRS) * CHUNK);
	assert_int_equal(snap_cow_bytes(1, CHUNK), (1 + 1 + 1 + 1) * CHUNK);
}

static void exceptions_are_found_over_several_areas(void **state)
{
	static const uint64_t counts[] = {
		0,	   1,	      PAIRS - 1,     PAIRS,
		PAIRS + 1, 2 * PAIRS, 5 * PAIRS + 3, DATA / CHUNK
	};

	for (size_t i = 0; i < IMG_COUNT(counts); i++) {
		img_auto(img_fd_release) int fd = new_store();
		struct seen seen = { 0 };
		struct img_err err = { 0 };

		for (uint64_t n = 0; n < counts[i]; n++)
			put_pair(fd, n, 3 * n + 1, data_chunk(n));
		assert_int_equal(walk(fd, &seen, &err), 0);
		assert_int_equal(seen.n, counts[i]);
		if (counts[i])
			assert_int_equal(seen.last_old,
					 (3 * counts[i] - 2) * CHUNK);
	}
}

static void a_walk_ends_when_asked(void **state)
{
	img_auto(img_fd_release) int fd = new_store();
	struct seen seen = { .stop_at = 2 };
	struct img_err err = { 0 };

	for (uint64_t n = 0; n < 5; n++)
		put_pair(fd, n, n, data_chunk(n));
	assert_int_equal(walk(fd, &seen, &err), 7);
	assert_int_equal(seen.n, 2);
}

static void what_was_never_written_is_empty(void **state)
{
	static const uint64_t sizes[] = { 0, CHUNK, DATA };

	for (size_t i = 0; i < IMG_COUNT(sizes); i++) {
		img_auto(img_fd_release) int fd = new_file(sizes[i]);
		struct snap_cow cow;
		struct seen seen = { 0 };
		struct img_err err = { 0 };

		assert_int_equal(snap_cow_open(fd, "it", &cow, &err), 0);
		assert_true(cow.is_new && cow.is_valid);
		assert_int_equal(walk(fd, &seen, &err), 0);
		assert_int_equal(seen.n, 0);
	}
}

static void a_bad_header_is_damage(void **state)
{
	static const struct {
		uint32_t magic, version, sectors;
		const char *message;
	} bad[] = {
		{ 1, 1, 8, "the store is damaged: it has no header" },
		{ 0x70416e53, 2, 8, "the store is damaged: it has no header" },
		{ 0x70416e53, 1, 0,
		  "the store is damaged: its chunks have no sound size" },
		{ 0x70416e53, 1, 12,
		  "the store is damaged: its chunks have no sound size" },
		{ 0x70416e53, 1, 1u << 31,
		  "the store is damaged: its chunks have no sound size" },
	};
	img_auto(img_fd_release) int stub = new_file(7);
	struct seen seen = { 0 };
	struct img_err err = { 0 };

	assert_int_equal(walk(stub, &seen, &err), -IMG_E_CORRUPT);
	assert_string_equal(err.msg, "the store is damaged: it is too short");
	for (size_t i = 0; i < IMG_COUNT(bad); i++) {
		img_auto(img_fd_release) int fd = new_file(DATA);
		struct img_err one = { 0 };

		put_header(fd, bad[i].magic, 1, bad[i].version, bad[i].sectors);
		assert_int_equal(walk(fd, &seen, &one), -IMG_E_CORRUPT);
		assert_string_equal(one.msg, bad[i].message);
	}
}

static void an_exception_that_points_outside_is_damage(void **state)
{
	static const struct {
		uint64_t old_chunk, new_chunk;
	} bad[] = {
		{ 0, 1 },	  /* the area itself */
		{ 0, PAIRS + 2 }, /* the next area */
		{ 0, DATA },	  /* behind the end */
		{ 0, UINT64_MAX }, { UINT64_MAX, 2 }, { UINT64_MAX / 2, 2 },
	};

	for (size_t i = 0; i < IMG_COUNT(bad); i++) {
		img_auto(img_fd_release) int fd = new_store();
		struct seen seen = { 0 };
		struct img_err err = { 0 };

		put_pair(fd, 0, bad[i].old_chunk, bad[i].new_chunk);
		assert_int_equal(walk(fd, &seen, &err), -IMG_E_CORRUPT);
		assert_string_equal(err.msg, "the store is damaged: an "
					     "exception points outside");
	}
}

static void a_store_is_laid_over_a_copy(void **state)
{
	img_auto(img_fd_release) int fd = new_store();
	img_auto(img_fd_release) int to = new_file(10 * CHUNK + 512);
	char chunk[CHUNK], back[CHUNK];
	uint64_t bytes = 0;
	struct stat st;
	struct img_err err = { 0 };

	for (uint64_t n = 0; n < 2; n++) {
		memset(chunk, 'a' + (int)n, sizeof(chunk));
		put(fd, data_chunk(n) * CHUNK, chunk, sizeof(chunk));
		put_pair(fd, n, n ? 10 : 4, data_chunk(n));
	}
	assert_int_equal(snap_cow_apply(fd, "the store", to, &bytes, &err), 0);
	/* The last chunk is cut where the volume ends. */
	assert_int_equal(bytes, CHUNK + 512);
	assert_int_equal(fstat(to, &st), 0);
	assert_int_equal(st.st_size, 10 * CHUNK + 512);
	memset(chunk, 'a', sizeof(chunk));
	assert_int_equal(pread(to, back, CHUNK, 4 * CHUNK), CHUNK);
	assert_memory_equal(back, chunk, CHUNK);
	memset(chunk, 'b', sizeof(chunk));
	assert_int_equal(pread(to, back, CHUNK, 10 * CHUNK), 512);
	assert_memory_equal(back, chunk, 512);
	/* One that changes more than there is. */
	put_pair(fd, 2, 11, data_chunk(2));
	assert_int_equal(snap_cow_apply(fd, "the store", to, &bytes, &err),
			 -IMG_E_CORRUPT);
}

static void what_the_kernel_gave_up_is_not_applied(void **state)
{
	img_auto(img_fd_release) int fd = new_store();
	img_auto(img_fd_release) int to = new_file(DATA);
	uint64_t bytes = 0;
	struct img_err err = { 0 };

	put_header(fd, 0x70416e53, 0, 1, CHUNK / 512);
	assert_int_equal(snap_cow_apply(fd, "the store", to, &bytes, &err),
			 -IMG_E_CORRUPT);
	assert_string_equal(err.msg, "the store was given up by the kernel: "
				     "what it held is lost");
}

static void a_copy_has_the_holes_too(void **state)
{
	img_auto(img_fd_release) int from = new_file(64 * MIB + 100);
	img_auto(img_fd_release) int to = new_file(0);
	char bytes[8192], back[8192];
	struct stat st;
	struct img_err err = { 0 };

	memset(bytes, 'x', sizeof(bytes));
	put(from, 0, bytes, 10);
	put(from, 30 * MIB, bytes, sizeof(bytes));
	put(from, 64 * MIB + 90, bytes, 10);
	assert_int_equal(snap_copy_file(from, to, "it", &err), 0);
	assert_int_equal(fstat(to, &st), 0);
	assert_int_equal(st.st_size, 64 * MIB + 100);
	assert_true((uint64_t)st.st_blocks * 512 < MIB);
	assert_int_equal(pread(to, back, sizeof(back), 30 * MIB), sizeof(back));
	assert_memory_equal(back, bytes, sizeof(back));
	assert_int_equal(pread(to, back, 10, 64 * MIB + 90), 10);
	assert_memory_equal(back, bytes, 10);
	assert_int_equal(pread(to, back, 20, 0), 20);
	assert_memory_equal(back, bytes, 10);
	assert_int_equal(back[10], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_size_holds_every_change),
		cmocka_unit_test(exceptions_are_found_over_several_areas),
		cmocka_unit_test(a_walk_ends_when_asked),
		cmocka_unit_test(what_was_never_written_is_empty),
		cmocka_unit_test(a_bad_header_is_damage),
		cmocka_unit_test(an_exception_that_points_outside_is_damage),
		cmocka_unit_test(a_store_is_laid_over_a_copy),
		cmocka_unit_test(what_the_kernel_gave_up_is_not_applied),
		cmocka_unit_test(a_copy_has_the_holes_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
