/* test_crc32c.c - the vectors of RFC 3720 B.4, by instruction and by table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hotdesk/base/secret.h"

#include "base/base_priv.h"

/* An iSCSI SCSI read (10) command */
static const uint8_t iscsi_read[48] = {
	0x01, 0xc0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0x00,
	0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00, 0x18, 0x28, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
};

static void check(const void *data, size_t n, uint32_t expected)
{
	assert_int_equal(hd_crc32c(data, n), expected);
	assert_int_equal(hd_crc32c_table(data, n), expected);
}

static void test_rfc3720(void **state)
{
	uint8_t bytes[32] = { 0 };

	(void)state;
	check(bytes, 32, 0x8a9136aa);
	memset(bytes, 0xff, 32);
	check(bytes, 32, 0x62a8ab43);
	for (uint8_t i = 0; i < 32; i++)
		bytes[i] = i;
	check(bytes, 32, 0x46dd794e);
	for (uint8_t i = 0; i < 32; i++)
		bytes[i] = (uint8_t)(31 - i);
	check(bytes, 32, 0x113fdb5c);
	check(iscsi_read, sizeof(iscsi_read), 0xd9963a56);
	check("123456789", 9, 0xe3069283);
	check("", 0, 0);
}

/* Every length and every alignment: both ways must agree. */
static void test_ways_agree(void **state)
{
	uint8_t bytes[300];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * i + 7 * i);
	for (size_t at = 0; at < 9; at++)
		for (size_t n = 0; n + at <= sizeof(bytes); n++)
			assert_int_equal(hd_crc32c(bytes + at, n), hd_crc32c_table(bytes + at, n));
}

static void test_every_bit_counts(void **state)
{
	uint8_t bytes[48];
	uint32_t crc = hd_crc32c(iscsi_read, sizeof(iscsi_read));

	(void)state;
	memcpy(bytes, iscsi_read, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes) * 8; i++) {
		bytes[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_int_not_equal(hd_crc32c(bytes, sizeof(bytes)), crc);
		bytes[i / 8] ^= (uint8_t)(1u << i % 8);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc3720),
		cmocka_unit_test(test_ways_agree),
		cmocka_unit_test(test_every_bit_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
