#include "base/cleanup.h"
#include "base/str.h"
#include "tests/unit/storage/meta_image.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* One line a fault. */
static int print_fault(void *self, const struct thin_meta_fault *fault,
		       struct img_err *err)
{
	static const char *const kinds[] = { "damaged", "leaked", "uncounted" };
	struct str *out = self;

	str_add(out, kinds[fault->kind]);
	if (fault->kind != THIN_META_DAMAGED)
		str_addf(out, " %s %" PRIu64 "\n",
			 fault->of_data ? "data" : "metadata", fault->blocks);
	else if (fault->of_volume)
		str_addf(out, " %u: %s\n", fault->dev_id, fault->text);
	else
		str_addf(out, ": %s\n", fault->text);
	return 0;
}

static struct thin_meta *open_image(const struct image *image, bool snapshot)
{
	const struct thin_meta_options options = { .from_snapshot = snapshot };
	struct thin_meta *meta = NULL;
	struct img_err err = { 0 };

	if (thin_meta_open(image->fd, &options, &meta, &err) < 0)
		fail_msg("%s", err.msg);
	return meta;
}

static char *check(const struct image *image, bool snapshot)
{
	img_auto(thin_meta_release) struct thin_meta *meta =
		open_image(image, snapshot);
	struct str out = { 0 };
	struct img_err err = { 0 };

	if (thin_meta_check(meta, print_fault, &out, &err) < 0)
		fail_msg("%s", err.msg);
	return str_take(&out);
}

static void assert_checks(const struct image *image, bool snapshot,
			  const char *expect)
{
	img_auto(img_mem_release) char *found = check(image, snapshot);

	assert_string_equal(found, expect);
}

static void what_the_kernel_wrote_is_sound(void **state)
{
	struct image image;

	image_load(&image, "shared");
	assert_checks(&image, false, "");
	image_free(&image);
	image_load(&image, "held");
	assert_checks(&image, false, "");
	assert_checks(&image, true, "");
	image_free(&image);
}

/* The block of the bitmap that has the first counts, and its kind. */
static uint32_t first_bitmap(const struct image *image, bool of_data)
{
	const struct meta_disk_super *super =
		(const void *)image_block(image, 0);
	uint32_t root =
		(uint32_t)le64toh(of_data ? super->data_space.bitmap_root
					  : super->meta_space.bitmap_root);
	const struct meta_disk_index *index =
		(const void *)image_block(image, root);
	const struct meta_disk_node *node =
		(const void *)image_block(image, root);
	uint64_t block;

	if (!of_data)
		return (uint32_t)le64toh(index->entry[0].block);
	assert_int_equal(le32toh(node->head.flags), META_NODE_LEAF);
	memcpy(&block, node->keys + le32toh(node->max_entries), sizeof(block));
	return (uint32_t)le64toh(block);
}

/* Sets the count of one block to 0, 1 or 2. */
static void set_count(const struct image *image, bool of_data, uint64_t block,
		      unsigned refs)
{
	uint32_t bitmap = first_bitmap(image, of_data);
	uint8_t data[META_BLOCK_BYTES];
	struct meta_disk_bitmap *map = (void *)data;
	unsigned bits = (refs & 1) << 1 | refs >> 1;

	memcpy(data, image_block(image, bitmap), sizeof(data));
	map->bits[block / 4] &= (uint8_t) ~(3u << (block % 4 * 2));
	map->bits[block / 4] |= (uint8_t)(bits << (block % 4 * 2));
	image_seal(data, image_salt(image, bitmap));
	image_write(image, bitmap, data);
}

/* A block of the metadata that one thing points to. */
static uint32_t single(const struct image *image)
{
	uint32_t used[IMAGE_BLOCKS], n = image_list_used(image, used), refs;
	img_auto(thin_meta_release) struct thin_meta *meta =
		open_image(image, false);
	struct img_err err = { 0 };

	while (n-- > 0)
		if (thin_meta_block_refs(meta, used[n], &refs, &err) == 0 &&
		    refs == 1)
			return used[n];
	fail_msg("all blocks are shared");
	return 0;
}

static void counts_that_are_off_are_found(void **state)
{
	struct image image;
	uint32_t block;

	image_load(&image, "shared");
	block = single(&image);
	set_count(&image, false, IMAGE_BLOCKS - 1, 1);
	assert_checks(&image, false, "leaked metadata 1\n");
	set_count(&image, false, block, 0);
	assert_checks(&image, false, "uncounted metadata 1\n");
	image_write(&image, first_bitmap(&image, false),
		    image_block(&image, first_bitmap(&image, false)));
	assert_checks(&image, false, "");
	set_count(&image, true, 1020, 2);
	assert_checks(&image, false, "leaked data 1\n");
	set_count(&image, true, 1020, 0);
	assert_checks(&image, false, "");
	image_free(&image);
}

static uint32_t mapping_root(const struct image *image, uint32_t dev)
{
	const struct meta_disk_super *super =
		(const void *)image_block(image, 0);
	const struct meta_disk_node *node = (const void *)image_block(
		image, (uint32_t)le64toh(super->mapping_root));
	uint64_t block;

	for (uint32_t i = 0; i < le32toh(node->nr_entries); i++)
		if (le64toh(node->keys[i]) == dev) {
			memcpy(&block,
			       node->keys + le32toh(node->max_entries) + i,
			       sizeof(block));
			return (uint32_t)le64toh(block);
		}
	fail_msg("no volume %u", dev);
	return 0;
}

/* The other volumes are looked at all the same. */
static void damage_names_the_volume(void **state)
{
	img_auto(img_mem_release) char *found = NULL;
	uint8_t data[META_BLOCK_BYTES];
	struct image image;
	uint32_t root;

	image_load(&image, "shared");
	root = mapping_root(&image, 8);
	memcpy(data, image_block(&image, root), sizeof(data));
	data[100] ^= 1;
	image_write(&image, root, data);
	found = check(&image, false);
	assert_non_null(strstr(found, "damaged 8: "));
	assert_non_null(strstr(found, "wrong checksum"));
	/* No other line: what was not met is not counted as leaked. */
	assert_ptr_equal(strchr(found, '\n'), found + strlen(found) - 1);
	image_free(&image);
}

static int one_run(void *self, const struct thin_meta_run *run,
		   struct img_err *err)
{
	*(struct thin_meta_run *)self = *run;
	return 0;
}

static void single_blocks_are_found(void **state)
{
	struct image image;
	struct thin_meta_run last = { 0 };
	struct img_err err = { 0 };
	struct thin_meta *meta;
	uint64_t block = 0;

	image_load(&image, "shared");
	meta = open_image(&image, false);
	assert_int_equal(thin_meta_each_run(meta, 1, one_run, &last, &err), 0);
	assert_int_equal(thin_meta_last(meta, 1, &block, &err), 1);
	assert_int_equal(block, last.thin_begin + last.length - 1);
	assert_int_equal(thin_meta_find(meta, 1, block, &block, &err), 1);
	assert_int_equal(block, last.data_begin + last.length - 1);
	assert_int_equal(thin_meta_find(meta, 1, 1 << 20, &block, &err), 0);
	assert_int_equal(thin_meta_last(meta, 9, &block, &err), 0);
	assert_int_equal(thin_meta_find(meta, 77, 0, &block, &err),
			 -IMG_E_NOT_FOUND);
	thin_meta_close(meta);
	image_free(&image);
}

static void a_commit_meanwhile_is_seen(void **state)
{
	uint8_t data[META_BLOCK_BYTES];
	struct image image;
	struct img_err err = { 0 };
	struct thin_meta *meta;

	image_load(&image, "shared");
	meta = open_image(&image, false);
	assert_int_equal(thin_meta_is_current(meta, &err), 1);
	memcpy(data, image_block(&image, 0), sizeof(data));
	data[offsetof(struct meta_disk_super, transaction_id)]++;
	image_seal(data, image_salt(&image, 0));
	image_write(&image, 0, data);
	assert_int_equal(thin_meta_is_current(meta, &err), 0);
	thin_meta_close(meta);
	image_free(&image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_kernel_wrote_is_sound),
		cmocka_unit_test(counts_that_are_off_are_found),
		cmocka_unit_test(damage_names_the_volume),
		cmocka_unit_test(single_blocks_are_found),
		cmocka_unit_test(a_commit_meanwhile_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
