/*
 * Damaged metadata: -IMG_E_CORRUPT or a sane answer, never a crash and never
 * an endless loop.
 */
#include "storage/meta.h"

#include "tests/unit/storage/meta_image.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define FUZZ_SEED   20240229u
#define FUZZ_ROUNDS 700

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Whatever bit of whatever block is wrong, the checksum tells, and the message
 * says which block; blocks that nothing leads to do no harm. */
static void a_flipped_bit_is_found_and_named(void **state)
{
	struct image_sum good, sum;
	unsigned found = 0, tried = 0;
	struct img_err err = { 0 };
	uint32_t used[IMAGE_BLOCKS], count;
	struct image image;

	image_load(&image, "shared");
	count = image_list_used(&image, used);
	assert_int_equal(image_exercise(&image, &good, &err), 0);
	for (uint32_t i = 0; i < count; i++) {
		uint8_t bad[META_BLOCK_BYTES];
		uint32_t block = used[i];
		char name[32];

		(void)snprintf(name, sizeof(name), "block %u ", block);
		for (unsigned at = block % 7; at < META_BLOCK_BYTES;
		     at += at < 40 ? 9 : 1361) {
			int r;

			memcpy(bad, image_block(&image, block), sizeof(bad));
			bad[at] ^= (uint8_t)(1u << (at + block) % 8);
			image_write(&image, block, bad);
			err = (struct img_err){ 0 };
			r = image_exercise(&image, &sum, &err);
			tried++;
			if (r == 0) {
				assert_memory_equal(&sum, &good, sizeof(sum));
				continue;
			}
			found++;
			assert_int_equal(err.code, IMG_E_CORRUPT);
			assert_non_null(strstr(err.msg, name));
			assert_non_null(strstr(err.msg, "wrong checksum"));
		}
		image_write(&image, block, image_block(&image, block));
	}
	print_message("%u of %u flipped bits were met\n", found, tried);
	assert_true(found > tried / 2);
	image_free(&image);
}

/* Writes a changed and sealed block, asks, and puts the old one back. */
static int ask_with(const struct image *image, uint32_t block, uint8_t *data,
		    struct img_err *err)
{
	struct image_sum sum;
	int r;

	image_seal(data, image_salt(image, block));
	image_write(image, block, data);
	*err = (struct img_err){ 0 };
	r = image_exercise(image, &sum, err);
	image_write(image, block, image_block(image, block));
	return r;
}

static uint64_t super_field(const struct image *image, size_t offset)
{
	uint64_t raw;

	memcpy(&raw, image->bytes + offset, sizeof(raw));
	return le64toh(raw);
}

struct damage {
	size_t offset; /* in the superblock, or in the device tree's root */
	uint64_t value;
	unsigned bytes;
	int code;
	const char *message;
};

static void assert_damage(const struct image *image, uint32_t block,
			  const struct damage *d)
{
	uint64_t raw = htole64(d->value);
	uint8_t data[META_BLOCK_BYTES];
	struct img_err err;

	memcpy(data, image_block(image, block), sizeof(data));
	memcpy(data + d->offset, &raw, d->bytes);
	assert_int_equal(ask_with(image, block, data, &err), d->code);
	assert_non_null(strstr(err.msg, d->message));
}

#define SUPER(field) offsetof(struct meta_disk_super, field)

static void a_wrong_superblock_is_refused(void **state)
{
	static const struct damage damages[] = {
		{ 8, 5, 8, -IMG_E_CORRUPT, "block 0 says it is block 5" },
		{ SUPER(magic), 1, 8, -IMG_E_CORRUPT,
		  "block 0 is no superblock of a thin pool" },
		{ SUPER(version), 3, 4, -IMG_E_UNSUPPORTED,
		  "version 3 of thin pool metadata is not known" },
		{ SUPER(incompat_flags), 4, 4, -IMG_E_UNSUPPORTED,
		  "thin pool feature 0x4 is not known" },
		{ SUPER(chunk_sectors), 129, 4, -IMG_E_CORRUPT,
		  "block 0 has an impossible data block size, 129 sectors" },
		{ SUPER(meta_space), UINT64_MAX, 8, -IMG_E_CORRUPT,
		  "block 0 has an impossible size of the metadata" },
		{ SUPER(data_space), UINT64_MAX, 8, -IMG_E_CORRUPT,
		  "block 0 has an impossible size of the data" },
		{ SUPER(data_space) + 8, 131073, 8, -IMG_E_CORRUPT,
		  "block 0 has more data blocks used than there are" },
		{ SUPER(data_space), 2, 8, -IMG_E_CORRUPT, "data" },
		{ SUPER(mapping_root), 512, 8, -IMG_E_CORRUPT,
		  "block 512 is wanted as a tree node, past the end" },
		{ SUPER(details_root), 0, 8, -IMG_E_CORRUPT,
		  "block 0 has a wrong checksum for a tree node" },
	};
	struct image image;

	image_load(&image, "shared");
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++)
		assert_damage(&image, 0, &damages[i]);
	image_free(&image);
}

static void a_wrong_node_is_refused(void **state)
{
	static const struct damage damages[] = {
		{ 4, 3, 4, -IMG_E_CORRUPT, "is a tree node with flags 0x3" },
		{ 16, 400, 4, -IMG_E_CORRUPT,
		  "is a tree node with impossible counts" },
		{ 20, UINT32_MAX, 4, -IMG_E_CORRUPT,
		  "is a tree node with impossible counts" },
		{ 24, UINT32_MAX, 4, -IMG_E_CORRUPT,
		  "is a tree node with impossible counts" },
		{ 24, 4, 4, -IMG_E_CORRUPT, "is no node of the device tree" },
		{ 32, 4, 8, -IMG_E_CORRUPT, "is a tree node out of order" },
	};
	struct image image;
	uint32_t root;

	image_load(&image, "shared");
	root = (uint32_t)super_field(&image, SUPER(mapping_root));
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++)
		assert_damage(&image, root, &damages[i]);
	image_free(&image);
}

/* An internal node whose only child is the node itself. */
static void a_tree_tied_in_a_loop_ends(void **state)
{
	uint8_t data[META_BLOCK_BYTES] = { 0 };
	struct meta_disk_node *node = (void *)data;
	struct img_err err = { 0 };
	struct image image;
	uint64_t child;
	uint32_t root;

	image_load(&image, "shared");
	root = (uint32_t)super_field(&image, SUPER(details_root));
	node->head.flags = htole32(META_NODE_INTERNAL);
	node->head.block = htole64(root);
	node->nr_entries = htole32(1);
	node->max_entries = htole32(252);
	node->value_bytes = htole32(8);
	child = htole64(root);
	memcpy(data + sizeof(*node) + 252 * sizeof(uint64_t), &child,
	       sizeof(child));
	assert_int_equal(ask_with(&image, root, data, &err), -IMG_E_CORRUPT);
	assert_non_null(
		strstr(err.msg, "makes the device details tree too deep"));
	image_free(&image);
}

static void a_file_that_ends_early_is_corrupt(void **state)
{
	struct img_err err = { 0 };
	struct image_sum sum;
	struct image image;

	image_load(&image, "shared");
	assert_int_equal(ftruncate(image.fd, 20 * META_BLOCK_BYTES), 0);
	assert_int_equal(image_exercise(&image, &sum, &err), -IMG_E_CORRUPT);
	assert_non_null(strstr(err.msg, "metadata ends too early"));
	assert_int_equal(ftruncate(image.fd, 0), 0);
	err = (struct img_err){ 0 };
	assert_int_equal(image_exercise(&image, &sum, &err), -IMG_E_CORRUPT);
	assert_string_equal(err.msg, "block 0: metadata ends too early");
	image_free(&image);
}

/* Up to four values at random places of one to three blocks, with the right
 * checksum again: nothing but the reader's own checks stands in the way. */
static void sealed_nonsense_does_no_harm(void **state)
{
	unsigned sane = 0, refused = 0;
	uint32_t used[IMAGE_BLOCKS], used_count;
	uint64_t random = FUZZ_SEED;
	struct image image;

	image_load(&image, "held");
	used_count = image_list_used(&image, used);
	print_message("seed %u\n", FUZZ_SEED);
	for (unsigned round = 0; round < FUZZ_ROUNDS; round++) {
		uint32_t blocks[3];
		unsigned count = 1 + next_random(&random) % 3;
		struct img_err err = { 0 };
		struct image_sum sum;
		int r;

		for (unsigned i = 0; i < count; i++) {
			uint8_t data[META_BLOCK_BYTES];

			blocks[i] = used[next_random(&random) % used_count];
			memcpy(data, image_block(&image, blocks[i]),
			       sizeof(data));
			for (unsigned n = next_random(&random) % 4 + 1; n;
			     n--) {
				uint64_t value = next_random(&random);
				size_t at = value >> 32;

				/* As often as not among the first fields,
				 * as often as not a small number. */
				at = 4 + (value & 1 ? at % 60 : at % 4084);
				value = htole64(value & 2 ? value >> 56
							  : value);
				memcpy(data + at, &value, value & 4 ? 8 : 1);
			}
			image_seal(data, image_salt(&image, blocks[i]));
			image_write(&image, blocks[i], data);
		}
		r = image_exercise(&image, &sum, &err);
		if (!image_is_sane(r))
			fail_msg("round %u: %d: %s", round, r, err.msg);
		sane += r == 0;
		refused += r < 0;
		for (unsigned i = 0; i < count; i++)
			image_write(&image, blocks[i],
				    image_block(&image, blocks[i]));
	}
	print_message("%u answers, %u refusals\n", sane, refused);
	assert_true(sane && refused);
	image_free(&image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flipped_bit_is_found_and_named),
		cmocka_unit_test(a_wrong_superblock_is_refused),
		cmocka_unit_test(a_wrong_node_is_refused),
		cmocka_unit_test(a_tree_tied_in_a_loop_ends),
		cmocka_unit_test(a_file_that_ends_early_is_corrupt),
		cmocka_unit_test(sealed_nonsense_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
