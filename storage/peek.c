#include "storage/peek.h"

#include "base/file.h"
#include "base/num.h"

#include <endian.h>
#include <string.h>

#define BLOCK		   4096u
#define SUPER_OFFSET	   1024u
#define SUPER_BYTES	   1024u
#define SUPER_BLOCKS_LO	   0x4u
#define SUPER_BLOCK_SIZE   0x18u /* 1024 << this */
#define SUPER_MAGIC	   0x38u
#define SUPER_INCOMPAT	   0x60u
#define SUPER_BLOCKS_HI	   0x150u
#define MAGIC		   0xef53u
#define INCOMPAT_64BIT	   0x80u
#define BLOCK_SIZE_LOG_MAX 6u

/* One aligned block: a device that is read past the page cache wants that. */
static int read_block(const struct peek *peek, uint32_t volume, uint64_t offset,
		      void *block, struct img_err *err)
{
	uint64_t chunk = thin_meta_info(peek->meta)->chunk_bytes;
	uint64_t data = 0;
	int r = thin_meta_find(peek->meta, volume, offset / chunk, &data, err);

	if (r == 0)
		memset(block, 0, BLOCK);
	if (r > 0)
		r = file_pread(peek->data, block, BLOCK,
			       data * chunk + offset % chunk, "the pool's data",
			       err);
	return r;
}

int peek_read(const struct peek *peek, uint32_t volume, uint64_t offset,
	      void *buf, size_t size, struct img_err *err)
{
	_Alignas(BLOCK) uint8_t block[BLOCK];
	uint8_t *to = buf;

	while (size) {
		size_t within = (size_t)(offset % BLOCK);
		size_t n = size < BLOCK - within ? size : BLOCK - within;
		int r = read_block(peek, volume, offset - within, block, err);

		if (r < 0)
			return r;
		memcpy(to, block + within, n);
		to += n;
		offset += n;
		size -= n;
	}
	return 0;
}

static uint32_t get32(const uint8_t *super, size_t offset)
{
	uint32_t raw;

	memcpy(&raw, super + offset, sizeof(raw));
	return le32toh(raw);
}

int peek_fs_bytes(const struct peek *peek, uint32_t volume, uint64_t *ret,
		  struct img_err *err)
{
	uint8_t super[SUPER_BYTES];
	uint32_t log;
	uint64_t blocks;
	int r = peek_read(peek, volume, SUPER_OFFSET, super, sizeof(super),
			  err);

	if (r < 0)
		return r;
	log = get32(super, SUPER_BLOCK_SIZE);
	if ((get32(super, SUPER_MAGIC) & 0xffff) != MAGIC ||
	    log > BLOCK_SIZE_LOG_MAX)
		return 0;
	blocks = get32(super, SUPER_BLOCKS_LO);
	if (get32(super, SUPER_INCOMPAT) & INCOMPAT_64BIT)
		blocks |= (uint64_t)get32(super, SUPER_BLOCKS_HI) << 32;
	return !num_mul_overflows(blocks, UINT64_C(1024) << log, ret);
}
