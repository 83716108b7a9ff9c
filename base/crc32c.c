#include "base/crc32c.h"

#include <string.h>

/* Remainders of the sixteen low nibbles for the reflected polynomial
 * 0x82f63b78: small enough to cost one cache line. */
static const uint32_t nibbles[16] = {
	0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
	0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
	0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

uint32_t crc32c_update_portable(uint32_t state, const void *data, size_t size)
{
	const uint8_t *at = data;

	while (size--) {
		state ^= *at++;
		state = (state >> 4) ^ nibbles[state & 15];
		state = (state >> 4) ^ nibbles[state & 15];
	}
	return state;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t
update_sse42(uint32_t state, const void *data, size_t size)
{
	const uint8_t *at = data;
	uint64_t wide = state;

	for (; size >= sizeof(uint64_t); size -= sizeof(uint64_t)) {
		uint64_t word;

		memcpy(&word, at, sizeof(word));
		wide = __builtin_ia32_crc32di(wide, word);
		at += sizeof(word);
	}
	state = (uint32_t)wide;
	while (size--)
		state = __builtin_ia32_crc32qi(state, *at++);
	return state;
}
#endif

uint32_t crc32c_update(uint32_t state, const void *data, size_t size)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("sse4.2"))
		return update_sse42(state, data, size);
#endif
	return crc32c_update_portable(state, data, size);
}
