#ifndef IMG_TESTS_UNIT_STORAGE_META_IMAGE_H
#define IMG_TESTS_UNIT_STORAGE_META_IMAGE_H

/*
 * Thin pool metadata for tests: an image from tests/data/meta, held in memory
 * and, for the reader, in a memfd, whose blocks can be damaged and sealed with
 * a right checksum again.
 */
#include "base/crc32c.h"
#include "storage/meta.h"
#include "storage/meta_format.h"

#include <endian.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define IMAGE_BYTES  (2u << 20)
#define IMAGE_BLOCKS (IMAGE_BYTES / META_BLOCK_BYTES)

struct image {
	int fd;
	uint8_t *bytes; /* as loaded */
};

static inline void image_fail(const char *what)
{
	fprintf(stderr, "test image: %s\n", what);
	abort();
}

/* Unpacks tests/data/meta/NAME.gz, from the repository's root. */
static inline void image_load(struct image *image, const char *name)
{
	char command[128];
	FILE *pipe;

	(void)snprintf(command, sizeof(command),
		       "gzip -dc tests/data/meta/%s.gz", name);
	image->bytes = malloc(IMAGE_BYTES);
	pipe = popen(command, "re");
	if (!image->bytes || !pipe ||
	    fread(image->bytes, 1, IMAGE_BYTES, pipe) != IMAGE_BYTES ||
	    pclose(pipe) != 0)
		image_fail(command);
	image->fd = memfd_create(name, MFD_CLOEXEC);
	if (image->fd < 0 ||
	    write(image->fd, image->bytes, IMAGE_BYTES) != IMAGE_BYTES)
		image_fail("memfd");
}

static inline void image_free(struct image *image)
{
	free(image->bytes);
	(void)close(image->fd); /* only memory */
}

static inline void image_write(const struct image *image, uint32_t block,
			       const uint8_t *data)
{
	if (pwrite(image->fd, data, META_BLOCK_BYTES,
		   (off_t)block * META_BLOCK_BYTES) != META_BLOCK_BYTES)
		image_fail("pwrite");
}

static inline const uint8_t *image_block(const struct image *image,
					 uint32_t block)
{
	return image->bytes + (size_t)block * META_BLOCK_BYTES;
}

static inline uint32_t image_raw_sum(const uint8_t *data)
{
	return crc32c_update(UINT32_MAX, data + 4, META_BLOCK_BYTES - 4);
}

static inline uint32_t image_get32(const uint8_t *data)
{
	uint32_t raw;

	memcpy(&raw, data, sizeof(raw));
	return le32toh(raw);
}

/* What the block's checksum is salted with: tells its kind. */
static inline uint32_t image_salt(const struct image *image, uint32_t block)
{
	const uint8_t *data = image_block(image, block);

	return image_get32(data) ^ image_raw_sum(data);
}

static inline void image_seal(uint8_t *data, uint32_t salt)
{
	uint32_t raw = htole32(image_raw_sum(data) ^ salt);

	memcpy(data, &raw, sizeof(raw));
}

/* Lists the blocks that the image's own space map counts as used: others are
 * of transactions that are over. */
static inline uint32_t image_list_used(const struct image *image,
				       uint32_t list[IMAGE_BLOCKS])
{
	struct img_err err = { 0 };
	struct thin_meta *meta;
	uint32_t refs, count = 0;

	if (thin_meta_open(image->fd, NULL, &meta, &err) < 0)
		image_fail(err.msg);
	for (uint32_t i = 0; i < IMAGE_BLOCKS; i++) {
		if (thin_meta_block_refs(meta, i, &refs, &err) < 0)
			image_fail(err.msg);
		if (refs)
			list[count++] = i;
	}
	thin_meta_close(meta);
	return count;
}

/* What image_exercise() found out, to be compared. */
struct image_sum {
	uint64_t devs, blocks, ranges;
	uint32_t ids[8];
};

static inline int image_on_dev(void *self, const struct thin_meta_dev *dev,
			       struct img_err *err)
{
	struct image_sum *sum = self;

	if (sum->devs < sizeof(sum->ids) / sizeof(sum->ids[0]))
		sum->ids[sum->devs] = dev->id;
	sum->devs++;
	return 0;
}

static inline int image_on_run(void *self, const struct thin_meta_run *run,
			       struct img_err *err)
{
	struct image_sum *sum = self;

	sum->blocks += run->length;
	return 0;
}

static inline int image_on_range(void *self,
				 const struct thin_meta_range *range,
				 struct img_err *err)
{
	struct image_sum *sum = self;

	sum->ranges += range->length;
	return 0;
}

static inline int image_on_fault(void *self,
				 const struct thin_meta_fault *fault,
				 struct img_err *err)
{
	return 0; /* only damage that the walks meet is compared */
}

/* Calls all there is, once for each of the first volumes. Returns the last
 * failure, with @err filled, or 0. */
static inline int image_ask(struct thin_meta *meta, struct image_sum *sum,
			    struct img_err *err)
{
	int bad = thin_meta_each_dev(meta, image_on_dev, sum, err);
	uint64_t bytes;
	size_t n = sum->devs < 8 ? sum->devs : 8;

	for (size_t i = 0; i < n; i++) {
		uint32_t id = sum->ids[i], next = sum->ids[(i + 1) % n];
		struct thin_meta_usage usage;
		int r = thin_meta_each_run(meta, id, image_on_run, sum, err);

		bad = r ? r : bad;
		r = thin_meta_each_exclusive(meta, id, image_on_range, sum,
					     err);
		bad = r ? r : bad;
		r = thin_meta_usage(meta, id, &usage, err);
		bad = r ? r : bad;
		r = thin_meta_each_difference(meta, id, next, image_on_range,
					      sum, err);
		bad = r ? r : bad;
	}
	IMG_IGNORE(thin_meta_check(meta, image_on_fault, sum, err));
	if (n) {
		int r = thin_meta_reclaimable(meta, sum->ids, n, &bytes, err);

		bad = r ? r : bad;
	}
	return bad;
}

static inline int image_exercise(const struct image *image,
				 struct image_sum *sum, struct img_err *err)
{
	struct thin_meta *meta = NULL;
	int r = thin_meta_open(image->fd, NULL, &meta, err);

	memset(sum, 0, sizeof(*sum));
	if (r == 0)
		r = image_ask(meta, sum, err);
	thin_meta_close(meta);
	return r;
}

/* Failures that damage may lead to. */
static inline int image_is_sane(int r)
{
	return r == 0 || r == -IMG_E_CORRUPT || r == -IMG_E_UNSUPPORTED ||
	       r == -IMG_E_NOT_FOUND;
}

#endif
