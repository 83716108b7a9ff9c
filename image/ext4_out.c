#include "image/ext4_out.h"

#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* Larger writes are no faster, and every page of a buffer costs a fault. */
#define BUFFER_BYTES (1024u * 1024)

void ext4_out_init(struct ext4_out *out, int fd, uint32_t chunk_bytes)
{
	uint32_t n_chunk = chunk_bytes / EXT4_BLOCK_BYTES;
	int flags = fcntl(fd, F_GETFL);
	void *buffer = NULL;

	*out = (struct ext4_out){ .fd = fd, .flags = -1 };
	out->n_buffer = BUFFER_BYTES / EXT4_BLOCK_BYTES;
	out->n_chunk = n_chunk ? n_chunk : 1;
	if (out->n_chunk > out->n_buffer)
		out->n_chunk = out->n_buffer;
	out->n_buffer -= out->n_buffer % out->n_chunk;
	if (posix_memalign(&buffer, EXT4_BLOCK_BYTES, BUFFER_BYTES))
		abort(); /* as base/str.h does */
	out->buffer = buffer;
	/* refused by tmpfs, for one: then not */
	if (flags >= 0 && fcntl(fd, F_SETFL, flags | O_DIRECT) == 0)
		out->flags = flags;
}

void ext4_out_release(struct ext4_out *out)
{
	if (out->flags >= 0)
		(void)fcntl(out->fd, F_SETFL, out->flags); /* were accepted */
	free(out->buffer);
	*out = (struct ext4_out){ .fd = -1, .flags = -1 };
}

static int write_failed(const struct ext4_out *out, struct img_err *err)
{
	if (errno == ENOSPC || errno == EDQUOT)
		return img_err_set(err, IMG_E_NO_SPACE, errno,
				   "does not fit: what lies under the volume "
				   "is full");
	return img_err_sys(err, "cannot write to the volume at byte %llu",
			   (unsigned long long)out->first * EXT4_BLOCK_BYTES);
}

int ext4_out_flush(struct ext4_out *out, struct img_err *err)
{
	size_t left = (size_t)out->n_filled * EXT4_BLOCK_BYTES;
	off_t at = (off_t)(out->first * EXT4_BLOCK_BYTES);
	const uint8_t *from = out->buffer;

	while (left) {
		ssize_t n = pwrite(out->fd, from, left, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0) /* past the end of a block device */
			errno = ENOSPC;
		if (n <= 0)
			return write_failed(out, err);
		from += n;
		at += n;
		left -= (size_t)n;
		out->written_bytes += (uint64_t)n;
	}
	out->first += out->n_filled;
	out->n_filled = 0;
	out->n_room = 0;
	return 0;
}

int ext4_out_run(struct ext4_out *out, uint64_t block, uint64_t n,
		 uint8_t **ret, uint32_t *ret_n, struct img_err *err)
{
	if (out->n_filled == out->n_room ||
	    block != out->first + out->n_filled) {
		int r = ext4_out_flush(out, err);

		if (r < 0)
			return r;
		out->first = block;
		out->n_room = out->n_buffer - (uint32_t)(block % out->n_chunk);
	}
	if (n > out->n_room - out->n_filled)
		n = out->n_room - out->n_filled;
	*ret = out->buffer + (size_t)out->n_filled * EXT4_BLOCK_BYTES;
	*ret_n = (uint32_t)n;
	out->n_filled += (uint32_t)n;
	return 0;
}

int ext4_out_block(struct ext4_out *out, uint64_t block, uint8_t **ret,
		   struct img_err *err)
{
	uint32_t one;

	return ext4_out_run(out, block, 1, ret, &one, err);
}

int ext4_out_sync(struct ext4_out *out, struct img_err *err)
{
	int r = ext4_out_flush(out, err);

	if (r < 0)
		return r;
	if (fdatasync(out->fd) < 0)
		return write_failed(out, err);
	return 0;
}
