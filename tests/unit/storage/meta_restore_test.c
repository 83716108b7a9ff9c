/*
 * Trees of several heights, made by thin_restore from XML that is written
 * here.  It shares nothing between volumes; meta_test.c has real pools for
 * that.
 */
#include "storage/meta.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define RUNS_MAX   8
#define RANGES_MAX 16

struct volume {
	uint32_t id;
	struct thin_meta_run runs[RUNS_MAX];
};

/* A node has 252 entries at most, so 70,000 blocks need three levels. */
static const struct volume volumes[] = {
	{ 3,
	  { { 0, 0, 70000, 1 },
	    { 70000, 80000, 5, 1 },
	    { 70005, 80005, 5, 2 },
	    { 90000, 70000, 100, 0 } } },
	{ 7, { { 10, 90000, 10, 0 }, { 60000, 100000, 20000, 3 } } },
	{ 8, { { UINT64_C(1) << 40, 130000, 3, 3 } } },
	{ 16777215, { { 0 } } },
};

static void write_xml(FILE *f)
{
	fprintf(f, "<superblock uuid=\"\" time=\"3\" transaction=\"9\" "
		   "data_block_size=\"256\" nr_data_blocks=\"200000\">\n");
	for (size_t i = 0; i < IMG_COUNT(volumes); i++) {
		const struct volume *v = &volumes[i];
		uint64_t mapped = 0;

		for (size_t j = 0; v->runs[j].length; j++)
			mapped += v->runs[j].length;
		fprintf(f,
			"<device dev_id=\"%u\" mapped_blocks=\"%ju\" "
			"transaction=\"%zu\" creation_time=\"1\" "
			"snap_time=\"2\">\n",
			v->id, (uintmax_t)mapped, i);
		for (size_t j = 0; v->runs[j].length; j++)
			fprintf(f,
				"<range_mapping origin_begin=\"%ju\" "
				"data_begin=\"%ju\" length=\"%ju\" "
				"time=\"%u\"/>\n",
				(uintmax_t)v->runs[j].thin_begin,
				(uintmax_t)v->runs[j].data_begin,
				(uintmax_t)v->runs[j].length, v->runs[j].time);
		fprintf(f, "</device>\n");
	}
	fprintf(f, "</superblock>\n");
}

/* Gives the descriptor of an unlinked file with the metadata in it. */
static int restore(void)
{
	char xml[] = "/tmp/img-meta-xml.XXXXXX";
	char bin[] = "/tmp/img-meta-bin.XXXXXX";
	char command[160];
	int xml_fd = mkstemp(xml), fd = mkostemp(bin, O_CLOEXEC);
	FILE *f = fdopen(xml_fd, "w");
	int status;

	assert_non_null(f);
	assert_true(fd >= 0);
	write_xml(f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(ftruncate(fd, 8 << 20), 0);
	(void)snprintf(command, sizeof(command),
		       "PATH=$PATH:/usr/sbin:/sbin thin_restore -i %s -o %s "
		       ">/dev/null",
		       xml, bin);
	status = system(command);
	assert_int_equal(unlink(xml), 0);
	assert_int_equal(unlink(bin), 0);
	if (status)
		fail_msg("thin_restore failed; it is in the package "
			 "thin-provisioning-tools");
	return fd;
}

struct pool {
	int fd;
	struct thin_meta *meta;
};

static int open_pool(void **state)
{
	static struct pool pool;
	struct img_err err = { 0 };

	pool.fd = restore();
	*state = &pool;
	if (thin_meta_open(pool.fd, NULL, &pool.meta, &err) < 0)
		print_error("%s\n", err.msg);
	return -(int)err.code;
}

static int close_pool(void **state)
{
	struct pool *pool = *state;

	thin_meta_close(pool->meta);
	return close(pool->fd);
}

struct seen {
	size_t count;
	union {
		struct thin_meta_run runs[RUNS_MAX];
		struct thin_meta_range ranges[RANGES_MAX];
		struct thin_meta_dev devs[RUNS_MAX];
	};
};

static int see_run(void *self, const struct thin_meta_run *run,
		   struct img_err *err)
{
	struct seen *seen = self;

	assert_true(seen->count < RUNS_MAX);
	seen->runs[seen->count++] = *run;
	return 0;
}

static int see_range(void *self, const struct thin_meta_range *range,
		     struct img_err *err)
{
	struct seen *seen = self;

	assert_true(seen->count < RANGES_MAX);
	seen->ranges[seen->count++] = *range;
	return 0;
}

static int see_dev(void *self, const struct thin_meta_dev *dev,
		   struct img_err *err)
{
	struct seen *seen = self;

	assert_true(seen->count < RUNS_MAX);
	seen->devs[seen->count++] = *dev;
	return 0;
}

static void superblock_and_volumes_are_read(void **state)
{
	const struct pool *pool = *state;
	const struct thin_meta_info *info = thin_meta_info(pool->meta);
	struct img_err err = { 0 };
	struct seen seen = { 0 };

	assert_int_equal(info->transaction_id, 9);
	assert_int_equal(info->time, 3);
	assert_int_equal(info->chunk_bytes, 131072);
	assert_int_equal(info->data_blocks, 200000);
	assert_int_equal(info->data_blocks_used, 90123);
	assert_int_equal(info->meta_blocks, 2048);
	assert_int_equal(info->snapshot_block, 0);
	assert_false(info->needs_check);
	assert_int_equal(thin_meta_each_dev(pool->meta, see_dev, &seen, &err),
			 0);
	assert_int_equal(seen.count, IMG_COUNT(volumes));
	for (size_t i = 0; i < seen.count; i++) {
		assert_int_equal(seen.devs[i].id, volumes[i].id);
		assert_int_equal(seen.devs[i].transaction_id, i);
		assert_int_equal(seen.devs[i].creation_time, 1);
		assert_int_equal(seen.devs[i].snapshotted_time, 2);
	}
	assert_int_equal(seen.devs[0].mapped_blocks, 70110);
}

static void runs_come_back_as_written(void **state)
{
	const struct pool *pool = *state;

	for (size_t i = 0; i < IMG_COUNT(volumes); i++) {
		const struct volume *v = &volumes[i];
		struct img_err err = { 0 };
		struct seen seen = { 0 };

		assert_int_equal(thin_meta_each_run(pool->meta, v->id, see_run,
						    &seen, &err),
				 0);
		for (size_t j = 0; v->runs[j].length; j++) {
			const struct thin_meta_run *got = &seen.runs[j];

			assert_true(j < seen.count);
			assert_int_equal(got->thin_begin,
					 v->runs[j].thin_begin);
			assert_int_equal(got->data_begin,
					 v->runs[j].data_begin);
			assert_int_equal(got->length, v->runs[j].length);
			assert_int_equal(got->time, v->runs[j].time);
		}
	}
}

static void all_is_exclusive_where_nothing_is_shared(void **state)
{
	const struct pool *pool = *state;
	struct thin_meta_usage usage;
	struct img_err err = { 0 };
	struct seen seen = { 0 };

	/* Other times and other places in the pool do not end a range. */
	assert_int_equal(thin_meta_each_exclusive(pool->meta, 3, see_range,
						  &seen, &err),
			 0);
	assert_int_equal(seen.count, 2);
	assert_int_equal(seen.ranges[0].kind, THIN_META_EXCLUSIVE);
	assert_int_equal(seen.ranges[0].begin, 0);
	assert_int_equal(seen.ranges[0].length, 70010);
	assert_int_equal(seen.ranges[1].begin, 90000);
	assert_int_equal(seen.ranges[1].length, 100);
	assert_int_equal(thin_meta_usage(pool->meta, 3, &usage, &err), 0);
	assert_int_equal(usage.mapped_bytes, UINT64_C(70110) * 131072);
	assert_int_equal(usage.exclusive_bytes, usage.mapped_bytes);
	assert_int_equal(thin_meta_usage(pool->meta, 16777215, &usage, &err),
			 0);
	assert_int_equal(usage.mapped_bytes, 0);
	assert_int_equal(usage.exclusive_bytes, 0);
}

static void assert_ranges(const struct seen *seen,
			  const struct thin_meta_range *want, size_t count)
{
	assert_int_equal(seen->count, count);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(seen->ranges[i].kind, want[i].kind);
		assert_int_equal(seen->ranges[i].begin, want[i].begin);
		assert_int_equal(seen->ranges[i].length, want[i].length);
	}
}

static void trees_of_different_heights_are_compared(void **state)
{
	static const struct thin_meta_range three_seven[] = {
		{ THIN_META_ONLY_A, 0, 10 },
		{ THIN_META_DIFFERENT, 10, 10 },
		{ THIN_META_ONLY_A, 20, 59980 },
		{ THIN_META_DIFFERENT, 60000, 10010 },
		{ THIN_META_ONLY_B, 70010, 9990 },
		{ THIN_META_ONLY_A, 90000, 100 },
	};
	static const struct thin_meta_range eight_three[] = {
		{ THIN_META_ONLY_B, 0, 70010 },
		{ THIN_META_ONLY_B, 90000, 100 },
		{ THIN_META_ONLY_A, UINT64_C(1) << 40, 3 },
	};
	const struct pool *pool = *state;
	struct img_err err = { 0 };
	struct seen seen = { 0 };

	assert_int_equal(thin_meta_each_difference(pool->meta, 3, 7, see_range,
						   &seen, &err),
			 0);
	assert_ranges(&seen, three_seven, IMG_COUNT(three_seven));
	seen.count = 0;
	assert_int_equal(thin_meta_each_difference(pool->meta, 8, 3, see_range,
						   &seen, &err),
			 0);
	assert_ranges(&seen, eight_three, IMG_COUNT(eight_three));
	seen.count = 0;
	assert_int_equal(thin_meta_each_difference(pool->meta, 16777215, 8,
						   see_range, &seen, &err),
			 0);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.ranges[0].kind, THIN_META_ONLY_B);
	seen.count = 0;
	assert_int_equal(thin_meta_each_difference(pool->meta, 3, 3, see_range,
						   &seen, &err),
			 0);
	assert_int_equal(seen.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(superblock_and_volumes_are_read),
		cmocka_unit_test(runs_come_back_as_written),
		cmocka_unit_test(all_is_exclusive_where_nothing_is_shared),
		cmocka_unit_test(trees_of_different_heights_are_compared),
	};

	return cmocka_run_group_tests(tests, open_pool, close_pool);
}
