#include "storage/meta.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "tests/unit/storage/meta_image.h"

#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* What one image is asked, and where the thin tools' answer lies. */
struct question {
	const char *image, *expect;
	bool from_snapshot;
	uint32_t pairs[10][2];
	uint32_t sets[7][8]; /* each ends with 0 */
};

struct printer {
	struct str out;
	uint32_t a, b;
};

static int print_dev(void *self, const struct thin_meta_dev *dev,
		     struct img_err *err)
{
	struct printer *p = self;

	str_addf(&p->out, "dev %u %" PRIu64 " %" PRIu64 " %u %u\n", dev->id,
		 dev->mapped_blocks, dev->transaction_id, dev->creation_time,
		 dev->snapshotted_time);
	return 0;
}

static int print_run(void *self, const struct thin_meta_run *run,
		     struct img_err *err)
{
	struct printer *p = self;

	str_addf(&p->out, "run %u %" PRIu64 " %" PRIu64 " %" PRIu64 " %u\n",
		 p->a, run->thin_begin, run->data_begin, run->length,
		 run->time);
	return 0;
}

static int print_range(void *self, const struct thin_meta_range *range,
		       struct img_err *err)
{
	static const char *const kinds[] = { "", "a", "b", "different" };
	struct printer *p = self;

	if (range->kind == THIN_META_EXCLUSIVE)
		str_addf(&p->out, "exclusive %u", p->a);
	else
		str_addf(&p->out, "delta %u %u %s", p->a, p->b,
			 kinds[range->kind]);
	str_addf(&p->out, " %" PRIu64 " %" PRIu64 "\n", range->begin,
		 range->length);
	return 0;
}

struct ids {
	uint32_t id[16];
	struct thin_meta_usage usage[16];
	size_t count;
};

static int add_id(void *self, const struct thin_meta_dev *dev,
		  struct img_err *err)
{
	struct ids *ids = self;

	assert_true(ids->count < 16);
	ids->id[ids->count++] = dev->id;
	return 0;
}

/* All the volumes one by one, in the order of the expectation. */
static void print_volumes(struct thin_meta *meta, struct printer *p,
			  bool with_exclusive)
{
	uint64_t chunk = thin_meta_info(meta)->chunk_bytes;
	struct img_err err = { 0 };
	struct ids ids = { 0 };

	assert_int_equal(thin_meta_each_dev(meta, add_id, &ids, &err), 0);
	for (size_t i = 0; i < ids.count; i++) {
		struct thin_meta_dev dev;

		p->a = ids.id[i];
		assert_int_equal(thin_meta_dev(meta, p->a, &dev, &err), 0);
		(void)print_dev(p, &dev, &err); /* cannot fail */
		assert_int_equal(
			thin_meta_each_run(meta, p->a, print_run, p, &err), 0);
	}
	for (size_t i = 0; i < ids.count; i++) {
		struct thin_meta_usage usage;

		assert_int_equal(thin_meta_usage(meta, ids.id[i], &usage, &err),
				 0);
		str_addf(&p->out, "usage %u %" PRIu64 " %" PRIu64 "\n",
			 ids.id[i], usage.mapped_bytes / chunk,
			 usage.exclusive_bytes / chunk);
	}
	for (size_t i = 0; with_exclusive && i < ids.count; i++) {
		p->a = ids.id[i];
		assert_int_equal(thin_meta_each_exclusive(meta, p->a,
							  print_range, p, &err),
				 0);
	}
}

static int same_as_one(void *self, const struct thin_meta_dev *dev,
		       const struct thin_meta_usage *usage, struct img_err *err)
{
	struct ids *ids = self;
	uint32_t id = ids->id[ids->count++];

	assert_int_equal(dev->id, id);
	ids->usage[ids->count - 1] = *usage;
	return 0;
}

/* In one walk as one by one. */
static void check_each_usage(struct thin_meta *meta)
{
	struct img_err err = { 0 };
	struct ids ids = { 0 };
	size_t count;

	assert_int_equal(thin_meta_each_dev(meta, add_id, &ids, &err), 0);
	count = ids.count;
	ids.count = 0;
	assert_int_equal(thin_meta_each_usage(meta, same_as_one, &ids, &err),
			 0);
	assert_int_equal(ids.count, count);
	for (size_t i = 0; i < count; i++) {
		struct thin_meta_usage usage;

		assert_int_equal(thin_meta_usage(meta, ids.id[i], &usage, &err),
				 0);
		assert_int_equal(ids.usage[i].mapped_bytes, usage.mapped_bytes);
		assert_int_equal(ids.usage[i].exclusive_bytes,
				 usage.exclusive_bytes);
	}
}

static void print_all(struct thin_meta *meta, struct printer *p,
		      const struct question *q)
{
	const struct thin_meta_info *info = thin_meta_info(meta);
	struct img_err err = { 0 };

	str_addf(&p->out,
		 "pool transaction %" PRIu64 " time %u chunk %" PRIu64 "\n",
		 info->transaction_id, info->time, info->chunk_bytes);
	print_volumes(meta, p, !q->from_snapshot);
	check_each_usage(meta);
	for (size_t i = 0; q->pairs[i][0]; i++) {
		p->a = q->pairs[i][0];
		p->b = q->pairs[i][1];
		assert_int_equal(thin_meta_each_difference(meta, p->a, p->b,
							   print_range, p,
							   &err),
				 0);
	}
	for (size_t i = 0; q->sets[i][0]; i++) {
		size_t count = 0;
		uint64_t bytes;

		str_add(&p->out, "together");
		while (q->sets[i][count])
			str_addf(&p->out, " %u", q->sets[i][count++]);
		assert_int_equal(thin_meta_reclaimable(meta, q->sets[i], count,
						       &bytes, &err),
				 0);
		str_addf(&p->out, " %" PRIu64 "\n", bytes / info->chunk_bytes);
	}
}

static void ask(const struct question *q)
{
	struct thin_meta_options options = { .name = q->image,
					     .from_snapshot =
						     q->from_snapshot };
	img_auto(img_mem_release) char *expect = NULL;
	struct img_err err = { 0 };
	struct printer p = { 0 };
	struct thin_meta *meta;
	struct image image;
	char path[64];

	(void)snprintf(path, sizeof(path), "tests/data/meta/%s", q->expect);
	assert_int_equal(
		file_read_all(AT_FDCWD, path, 1 << 20, &expect, NULL, &err), 0);
	image_load(&image, q->image);
	assert_int_equal(thin_meta_open(image.fd, &options, &meta, &err), 0);
	print_all(meta, &p, q);
	/* The first line says where the rest comes from. */
	assert_string_equal(p.out.s, strchr(expect, '\n') + 1);
	thin_meta_close(meta);
	str_release(&p.out);
	image_free(&image);
}

static void shared_volumes_are_read_as_the_thin_tools_do(void **state)
{
	static const struct question q = {
		.image = "shared",
		.expect = "shared.expect",
		.pairs = { { 1, 3 },
			   { 1, 4 },
			   { 4, 1 },
			   { 3, 4 },
			   { 1, 5 },
			   { 3, 20 },
			   { 1, 8 },
			   { 8, 4 },
			   { 9, 3 } },
		.sets = { { 1, 5 },
			  { 4, 8 },
			  { 1, 3, 5 },
			  { 1, 3, 4, 5, 20 },
			  { 1, 3, 4, 5, 8, 9, 20 },
			  { 3, 20 } },
	};

	ask(&q);
}

static void a_live_tree_leaves_its_snapshot_aside(void **state)
{
	static const struct question q = {
		.image = "held",
		.expect = "held-live.expect",
		.pairs = { { 1, 4 }, { 3, 4 }, { 3, 20 } },
		.sets = { { 1, 5 },
			  { 4, 8 },
			  { 1, 3, 5 },
			  { 1, 3, 4, 5, 20 },
			  { 1, 3, 4, 5, 8, 9, 20 },
			  { 3, 20 } },
	};

	ask(&q);
}

static void a_snapshot_leaves_the_live_tree_aside(void **state)
{
	static const struct question q = {
		.image = "held",
		.expect = "held-snapshot.expect",
		.from_snapshot = true,
		.pairs = { { 1, 4 }, { 3, 4 }, { 7, 1 } },
		.sets = { { 1, 5 }, { 1, 5, 7 }, { 1, 3, 4, 5, 7 }, { 3 } },
	};

	ask(&q);
}

/* The sums of what the space maps count must be what they say is used. */
static void counts_of_blocks_add_up(void **state)
{
	uint64_t data = 0, meta_used = 0;
	const struct thin_meta_info *info;
	struct img_err err = { 0 };
	struct thin_meta *meta;
	uint32_t refs, most = 0;
	struct image image;

	image_load(&image, "shared");
	assert_int_equal(thin_meta_open(image.fd, NULL, &meta, &err), 0);
	info = thin_meta_info(meta);
	for (uint64_t i = 0; i < info->data_blocks; i++) {
		assert_int_equal(thin_meta_data_refs(meta, i, &refs, &err), 0);
		data += refs > 0;
		most = refs > most ? refs : most;
	}
	for (uint64_t i = 0; i < info->meta_blocks; i++) {
		assert_int_equal(thin_meta_block_refs(meta, i, &refs, &err), 0);
		meta_used += refs > 0;
		most = refs > most ? refs : most;
	}
	assert_int_equal(data, info->data_blocks_used);
	assert_int_equal(meta_used, info->meta_blocks_used);
	assert_true(most > 2); /* or the overflow trees were not looked at */
	assert_int_equal(thin_meta_data_refs(meta, info->data_blocks, &refs,
					     &err),
			 -IMG_E_INPUT);
	assert_string_equal(err.msg, "metadata: there is no data block 131072");
	thin_meta_close(meta);
	image_free(&image);
}

static void a_pool_that_needs_a_check_is_told_of(void **state)
{
	uint8_t super[META_BLOCK_BYTES];
	struct img_err err = { 0 };
	struct thin_meta *meta;
	struct image image;

	image_load(&image, "shared");
	memcpy(super, image_block(&image, 0), sizeof(super));
	super[offsetof(struct meta_disk_header, flags)] |= META_NEEDS_CHECK;
	image_seal(super, image_salt(&image, 0));
	image_write(&image, 0, super);
	assert_int_equal(thin_meta_open(image.fd, NULL, &meta, &err), 0);
	assert_true(thin_meta_info(meta)->needs_check);
	thin_meta_close(meta);
	image_free(&image);
}

static int stop_at_once(void *self, const struct thin_meta_range *range,
			struct img_err *err)
{
	int *calls = self;

	++*calls;
	return 7;
}

static void a_callback_ends_the_walk(void **state)
{
	struct img_err err = { 0 };
	struct thin_meta *meta;
	struct image image;
	int calls = 0;

	image_load(&image, "shared");
	assert_int_equal(thin_meta_open(image.fd, NULL, &meta, &err), 0);
	assert_int_equal(thin_meta_each_difference(meta, 1, 3, stop_at_once,
						   &calls, &err),
			 7);
	assert_int_equal(calls, 1);
	assert_int_equal(thin_meta_each_exclusive(meta, 8, stop_at_once, &calls,
						  &err),
			 7);
	assert_int_equal(calls, 2);
	thin_meta_close(meta);
	image_free(&image);
}

static void wrong_questions_are_refused(void **state)
{
	struct thin_meta_options options = { .name = "the pool",
					     .from_snapshot = true };
	static const uint32_t twice[] = { 3, 1, 3 };
	struct img_err err = { 0 };
	struct thin_meta *meta;
	struct image image;
	uint64_t bytes;

	image_load(&image, "shared");
	assert_int_equal(thin_meta_open(image.fd, &options, &meta, &err),
			 -IMG_E_NOT_FOUND);
	assert_string_equal(err.msg,
			    "the pool: the pool has no metadata snapshot");
	err = (struct img_err){ 0 };
	assert_int_equal(thin_meta_open(image.fd, NULL, &meta, &err), 0);
	assert_int_equal(thin_meta_each_run(meta, 77, print_run, NULL, &err),
			 -IMG_E_NOT_FOUND);
	assert_string_equal(err.msg,
			    "metadata: the pool has no thin device 77");
	err = (struct img_err){ 0 };
	assert_int_equal(thin_meta_reclaimable(meta, twice, 3, &bytes, &err),
			 -IMG_E_INPUT);
	assert_string_equal(err.msg, "thin device 3 is named twice");
	thin_meta_close(meta);
	image_free(&image);

	err = (struct img_err){ 0 };
	image_load(&image, "held");
	assert_int_equal(thin_meta_open(image.fd, &options, &meta, &err), 0);
	assert_int_equal(thin_meta_each_exclusive(meta, 1, print_range, NULL,
						  &err),
			 -IMG_E_INPUT);
	assert_string_equal(err.msg, "the pool: a metadata snapshot cannot "
				     "tell what is exclusive in the live tree");
	thin_meta_close(meta);
	image_free(&image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shared_volumes_are_read_as_the_thin_tools_do),
		cmocka_unit_test(a_live_tree_leaves_its_snapshot_aside),
		cmocka_unit_test(a_snapshot_leaves_the_live_tree_aside),
		cmocka_unit_test(counts_of_blocks_add_up),
		cmocka_unit_test(a_pool_that_needs_a_check_is_told_of),
		cmocka_unit_test(a_callback_ends_the_walk),
		cmocka_unit_test(wrong_questions_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
