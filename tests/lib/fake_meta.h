#ifndef IMG_TESTS_LIB_FAKE_META_H
#define IMG_TESTS_LIB_FAKE_META_H

/*
 * Thin pool metadata as a kernel would have committed it, for volumes that
 * have nothing mapped yet.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAKE_META_DEVS_MAX 120

struct fake_meta {
	const uint32_t *ids; /* volumes, ascending */
	size_t n;
	bool is_held; /* there is a metadata snapshot, which has these: */
	const uint32_t *held_ids;
	size_t n_held;
	uint64_t chunk_bytes, data_blocks;
	uint32_t time; /* snapshots ever made */
};

/* Writes the metadata of a pool to @path. */
void fake_meta_write(const char *path, const struct fake_meta *meta);

#endif
