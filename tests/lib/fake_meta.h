#ifndef IMG_TESTS_LIB_FAKE_META_H
#define IMG_TESTS_LIB_FAKE_META_H

/*
 * Thin pool metadata as a kernel would have committed it, for volumes that
 * have nothing mapped yet.
 */
#include <stddef.h>
#include <stdint.h>

#define FAKE_META_DEVS_MAX 120

/* Writes to @path metadata of a pool that has the volumes @ids, ascending. */
void fake_meta_write(const char *path, const uint32_t *ids, size_t n,
		     uint64_t chunk_bytes, uint64_t data_blocks);

#endif
