/*
 * libFuzzer entry: an archive becomes a file system of 16 MiB in memory.
 *
 * Whatever the bytes are, the import ends with a file system or with one line
 * that says why not; the sanitizers see the rest.  The checksums of headers
 * are mended first, for random ones would stop at the first.
 */
#include "image/rootfs.h"
#include "image/tar_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define INPUT_MAX    (1u << 20)
#define VOLUME_BYTES (16u << 20)
#define BLOCK	     512u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int memory_file(void)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0)
		abort();
	return fd;
}

/* Gives every block that says it is a header the checksum of one. */
static void checksums_mend(uint8_t *tar, size_t size)
{
	for (size_t at = 0; at + BLOCK <= size; at += BLOCK) {
		uint8_t *h = tar + at;
		char text[8];
		unsigned sum = 0;

		if (memcmp(h + 257, "ustar", 5) != 0)
			continue;
		memset(h + 148, ' ', 8);
		for (size_t i = 0; i < BLOCK; i++)
			sum += h[i];
		(void)snprintf(text, sizeof(text), "%06o", sum);
		memcpy(h + 148, text, 7);
	}
}

static void import(int tar, int volume)
{
	static const uint8_t uuid[16];
	const struct tar_options tar_options = { 0 };
	const struct rootfs_options options = { .uuid = uuid,
						.now_s = 1,
						.max_entries = 1000 };
	struct entry_source *source = NULL;
	struct rootfs_stats stats;
	struct img_err err = { 0 };
	int r = tar_source_open_fd(tar, &tar_options, &source, &err);

	if (r == 0)
		r = rootfs_write(source, volume, VOLUME_BYTES, &options, &stats,
				 &err);
	entry_source_release(&source);
	if (r != -(int)err.code ||
	    (r < 0 && (!err.msg[0] || strchr(err.msg, '\n'))))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int tar, volume;
	uint8_t *copy;

	if (size > INPUT_MAX)
		return -1;
	copy = malloc(size + 1);
	if (!copy)
		abort();
	memcpy(copy, data, size);
	checksums_mend(copy, size);
	tar = memory_file();
	volume = memory_file();
	if (write(tar, copy, size) != (ssize_t)size ||
	    lseek(tar, 0, SEEK_SET) != 0 || ftruncate(volume, VOLUME_BYTES) < 0)
		abort();
	import(tar, volume);
	(void)close(tar);
	(void)close(volume);
	free(copy);
	return 0;
}
