/* crc32c.c - CRC-32C (Castagnoli, RFC 3720 12.1): the checksum of store records; see secret.h. */
#include <string.h>

#include "hotdesk/base/secret.h"

#include "base_priv.h"

/* Polynomial 0x82f63b78 (reflected), a nibble at a time: readable, and few machines ever use it. */
static const uint32_t nibble_table[16] = {
	0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
	0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
	0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

uint32_t hd_crc32c_table(const void *data, size_t n)
{
	const uint8_t *p = data;
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < n; i++) {
		crc ^= p[i];
		crc = crc >> 4 ^ nibble_table[crc & 15];
		crc = crc >> 4 ^ nibble_table[crc & 15];
	}
	return ~crc;
}

#if defined(__x86_64__)
#include <nmmintrin.h>

__attribute__((target("sse4.2"))) static uint32_t crc32c_sse42(const void *data, size_t n)
{
	const uint8_t *p = data;
	uint64_t crc = UINT32_MAX;
	uint32_t crc32;

	for (; n >= 8; p += 8, n -= 8) {
		uint64_t word;

		memcpy(&word, p, sizeof(word));
		crc = _mm_crc32_u64(crc, word);
	}
	crc32 = (uint32_t)crc;
	for (; n > 0; p++, n--)
		crc32 = _mm_crc32_u8(crc32, *p);
	return ~crc32;
}

uint32_t hd_crc32c(const void *data, size_t n)
{
	if (__builtin_cpu_supports("sse4.2"))
		return crc32c_sse42(data, n);
	return hd_crc32c_table(data, n);
}
#else
uint32_t hd_crc32c(const void *data, size_t n)
{
	return hd_crc32c_table(data, n);
}
#endif
