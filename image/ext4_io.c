#include "image/ext4_io.h"

#include "base/str.h"

#include <stdlib.h>
#include <string.h>

struct gathered {
	uint64_t block;
	uint8_t *bytes;
};

struct gather {
	struct ext4_out *out;
	struct gathered *blocks;
	size_t n, capacity;
};

static errcode_t io_open(const char *name, int flags, io_channel *ret)
{
	io_channel channel = mem_zalloc(sizeof(*channel));

	channel->magic = EXT2_ET_MAGIC_IO_CHANNEL;
	channel->manager = ext4_io_manager();
	channel->name = mem_strdup(name);
	channel->block_size = (int)EXT4_BLOCK_BYTES;
	channel->refcount = 1;
	channel->private_data = mem_zalloc(sizeof(struct gather));
	*ret = channel;
	return 0;
}

static errcode_t io_close(io_channel channel)
{
	struct gather *gather = channel->private_data;

	if (--channel->refcount > 0)
		return 0;
	for (size_t i = 0; i < gather->n; i++)
		free(gather->blocks[i].bytes);
	free(gather->blocks);
	free(gather);
	free(channel->name);
	free(channel);
	return 0;
}

static errcode_t io_set_blksize(io_channel channel, int blksize)
{
	channel->block_size = blksize;
	return 0;
}

static errcode_t io_read(io_channel channel, unsigned long long block,
			 int count, void *data)
{
	return EXT2_ET_UNIMPLEMENTED;
}

static errcode_t io_read_old(io_channel channel, unsigned long block, int count,
			     void *data)
{
	return EXT2_ET_UNIMPLEMENTED;
}

static uint8_t *gathered_block(struct gather *gather, uint64_t block)
{
	if (gather->n == gather->capacity) {
		gather->capacity = gather->capacity ? gather->capacity * 2 : 64;
		gather->blocks =
			mem_realloc(gather->blocks,
				    gather->capacity * sizeof(*gather->blocks));
	}
	gather->blocks[gather->n].block = block;
	gather->blocks[gather->n].bytes = mem_zalloc(EXT4_BLOCK_BYTES);
	return gather->blocks[gather->n++].bytes;
}

/* Where libext2fs writes less than a block it is the superblock, and the
 * rest of that block is zeroes. */
static errcode_t io_write(io_channel channel, unsigned long long block,
			  int count, const void *data)
{
	struct gather *gather = channel->private_data;
	uint64_t size_block = (uint64_t)channel->block_size;
	uint64_t at = block * size_block;
	uint64_t left =
		count < 0 ? (uint64_t)-count : (uint64_t)count * size_block;
	const uint8_t *from = data;

	while (left) {
		uint64_t skip = at % EXT4_BLOCK_BYTES;
		uint64_t n = EXT4_BLOCK_BYTES - skip;

		if (n > left)
			n = left;
		memcpy(gathered_block(gather, at / EXT4_BLOCK_BYTES) + skip,
		       from, n);
		from += n;
		at += n;
		left -= n;
	}
	return 0;
}

static errcode_t io_write_old(io_channel channel, unsigned long block,
			      int count, const void *data)
{
	return io_write(channel, block, count, data);
}

static errcode_t io_flush(io_channel channel)
{
	return 0; /* ext4_io_write_out does it, and can say what failed */
}

io_manager ext4_io_manager(void)
{
	static struct struct_io_manager manager = {
		.magic = EXT2_ET_MAGIC_IO_MANAGER,
		.name = "img",
		.open = io_open,
		.close = io_close,
		.set_blksize = io_set_blksize,
		.read_blk = io_read_old,
		.write_blk = io_write_old,
		.flush = io_flush,
		.read_blk64 = io_read,
		.write_blk64 = io_write,
	};

	return &manager;
}

void ext4_io_attach(io_channel channel, struct ext4_out *out)
{
	struct gather *gather = channel->private_data;

	gather->out = out;
}

static int by_block(const void *a, const void *b)
{
	uint64_t x = ((const struct gathered *)a)->block;
	uint64_t y = ((const struct gathered *)b)->block;

	return (x > y) - (x < y);
}

int ext4_io_write_out(io_channel channel, struct img_err *err)
{
	struct gather *gather = channel->private_data;

	qsort(gather->blocks, gather->n, sizeof(*gather->blocks), by_block);
	for (size_t i = 0; i < gather->n; i++) {
		uint8_t *place;
		int r = ext4_out_block(gather->out, gather->blocks[i].block,
				       &place, err);

		if (r < 0)
			return r;
		memcpy(place, gather->blocks[i].bytes, EXT4_BLOCK_BYTES);
	}
	return ext4_out_flush(gather->out, err);
}
