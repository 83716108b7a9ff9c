/*
 * libFuzzer entry: the reader of thin pool metadata.
 *
 * Random bytes would not get past the checksums.  So the input is a list of
 * changes to a good image, eight bytes each, and every changed block gets the
 * right checksum for its kind again:
 *
 *	byte 0     which of the image's used blocks
 *	byte 1     how many bytes to write: 1, 2, 4 or 8
 *	bytes 2-3  where in the block
 *	bytes 4-7  what
 *
 * Run from the repository's root, where tests/data is.
 */
#include "tests/unit/storage/meta_image.h"

#define RECORD_BYTES 8
#define RECORDS_MAX  32

static struct image image;
static uint32_t used[IMAGE_BLOCKS], used_count;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void change(uint32_t block, const uint8_t *record)
{
	size_t bytes = (size_t)1 << (record[1] & 3);
	size_t at = record[2] | (size_t)record[3] << 8;
	uint8_t bad[META_BLOCK_BYTES], value[8] = { 0 };

	if (pread(image.fd, bad, sizeof(bad),
		  (off_t)block * META_BLOCK_BYTES) != sizeof(bad))
		image_fail("pread");
	memcpy(value, record + 4, 4);
	memcpy(bad + at % (META_BLOCK_BYTES - sizeof(value)), value, bytes);
	image_seal(bad, image_salt(&image, block));
	image_write(&image, block, bad);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t count = size / RECORD_BYTES;
	struct img_err err = { 0 };
	struct image_sum sum;

	if (!image.bytes) {
		image_load(&image, "held");
		used_count = image_list_used(&image, used);
	}
	if (count > RECORDS_MAX)
		return -1;
	for (size_t i = 0; i < count; i++)
		change(used[data[i * RECORD_BYTES] % used_count],
		       data + i * RECORD_BYTES);
	if (!image_is_sane(image_exercise(&image, &sum, &err)))
		image_fail(err.msg);
	for (size_t i = 0; i < count; i++) {
		uint32_t block = used[data[i * RECORD_BYTES] % used_count];

		image_write(&image, block, image_block(&image, block));
	}
	return 0;
}
