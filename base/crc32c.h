#ifndef IMG_BASE_CRC32C_H
#define IMG_BASE_CRC32C_H

/*
 * CRC-32C (Castagnoli), the checksum of thin pool metadata, ext4 and iSCSI.
 * Uses the processor's own instruction where there is one.
 */
#include "base/attr.h"

#include <stddef.h>
#include <stdint.h>

/**
 * crc32c_update - run a CRC-32C register over some bytes
 * @state: register before; 0xffffffff to begin
 * @data: bytes to add; may be NULL when @size is 0
 * @size: of @data, in bytes
 *
 * Returns the register afterwards, not inverted: what the kernel calls crc32c.
 * The checksum of RFC 3720 is the complement of the last state.
 */
uint32_t crc32c_update(uint32_t state, const void *data,
		       size_t size) IMG_MUST_USE;

/* The same by table alone, on any processor: what crc32c_update() falls back
 * to, and what its tests compare it with. */
uint32_t crc32c_update_portable(uint32_t state, const void *data,
				size_t size) IMG_MUST_USE;

#endif
