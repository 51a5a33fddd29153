/* test_record.c - what is encoded comes back; what is damaged is noticed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hotdesk/base/record.h"

static struct hd_slice sample(uint8_t *buf, size_t size)
{
	struct hd_slice record = { 0 };
	struct hd_encoder e;

	hd_encoder_init(&e, buf, size, 3);
	hd_encode_u8(&e, 0xab);
	hd_encode_u16(&e, 0x1234);
	hd_encode_u32(&e, 0xdeadbeef);
	hd_encode_u64(&e, UINT64_C(0x0102030405060708));
	hd_encode_i64(&e, INT64_MIN);
	hd_encode_str(&e, "desk-101");
	hd_encode_bytes(&e, "\0\1\2", 3);
	hd_encode_str(&e, NULL);
	assert_int_equal(hd_encoder_finish(&e, &record), 0);
	return record;
}

struct fields {
	uint8_t u8;
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;
	int64_t i64;
	char text[16];
	uint8_t bytes[3];
	char none[4];
};

static int sample_decode(struct fields *f, struct hd_slice record, uint8_t newest)
{
	struct hd_decoder d;

	memset(f, 0x55, sizeof(*f));
	hd_decoder_init(&d, record, newest);
	f->u8 = hd_decode_u8(&d);
	f->u16 = hd_decode_u16(&d);
	f->u32 = hd_decode_u32(&d);
	f->u64 = hd_decode_u64(&d);
	f->i64 = hd_decode_i64(&d);
	hd_decode_str(&d, f->text, sizeof(f->text));
	hd_decode_bytes(&d, f->bytes, sizeof(f->bytes));
	hd_decode_str(&d, f->none, sizeof(f->none));
	assert_true(hd_decoder_at_end(&d));
	return hd_decoder_finish(&d);
}

static void test_layout(void **state)
{
	/* Written to disk, so it may never change. */
	static const uint8_t expected[] = {
		3,   0xab, 0x34, 0x12, 0xef, 0xbe, 0xad, 0xde, 8, 7, 6,	   5, 4,
		3,   2,	   1,	 0,    0,    0,	   0,	 0,    0, 0, 0x80, 8, 0,
		'd', 'e',  's',	 'k',  '-',  '1',  '0',	 '1',  0, 1, 2,	   0, 0,
	};
	uint8_t buf[64];
	struct hd_slice record = sample(buf, sizeof(buf));

	(void)state;
	assert_int_equal(record.len, sizeof(expected));
	assert_memory_equal(record.ptr, expected, sizeof(expected));
}

static void test_round_trip(void **state)
{
	uint8_t buf[64];
	struct hd_slice record = sample(buf, sizeof(buf));
	struct fields f;

	(void)state;
	assert_int_equal(sample_decode(&f, record, 3), 0);
	assert_int_equal(f.u8, 0xab);
	assert_int_equal(f.u16, 0x1234);
	assert_int_equal(f.u32, 0xdeadbeef);
	assert_int_equal(f.u64, UINT64_C(0x0102030405060708));
	assert_true(f.i64 == INT64_MIN);
	assert_string_equal(f.text, "desk-101");
	assert_memory_equal(f.bytes, "\0\1\2", 3);
	assert_string_equal(f.none, "");
}

/* Cut between two fields: an older record, zeros. Cut within one: damage, and zeros from there. */
static void test_every_cut(void **state)
{
	static const size_t borders[] = { 1, 2, 4, 8, 16, 24, 34, 37, 39 };
	uint8_t buf[64];
	struct hd_slice record = sample(buf, sizeof(buf));
	struct fields f;
	size_t border = 0;

	(void)state;
	for (record.len = 1; record.len <= 39; record.len++) {
		int expected = HD_ECORRUPT;
		int err = sample_decode(&f, record, 3);

		if (record.len == borders[border]) {
			expected = 0;
			border++;
		}
		if (err != expected)
			fail_msg("cut at %zu: expected %d, got %d", record.len, expected, err);
		if (record.len < 34)
			assert_string_equal(f.text, "");
		if (record.len < 16)
			assert_int_equal(f.u64, 0);
		if (record.len < 37)
			assert_memory_equal(f.bytes, "\0\0\0", 3);
	}
}

static void test_versions(void **state)
{
	uint8_t buf[64];
	struct hd_slice record = sample(buf, sizeof(buf));
	struct hd_decoder d;
	struct fields f;

	(void)state;
	hd_decoder_init(&d, record, 9);
	assert_int_equal(d.version, 3);
	assert_int_equal(sample_decode(&f, record, 2), HD_EVERSION);
	assert_int_equal(f.u8, 0);
	assert_int_equal(f.u64, 0);
	assert_string_equal(f.text, "");
	buf[0] = 0; /* never written */
	assert_int_equal(sample_decode(&f, record, 3), HD_ECORRUPT);
	assert_int_equal(sample_decode(&f, (struct hd_slice){ 0 }, 3), HD_ECORRUPT);
}

static int str_decode(const void *record, size_t len, char *dst, size_t size)
{
	struct hd_decoder d;

	hd_decoder_init(&d, (struct hd_slice){ record, len }, 1);
	hd_decode_str(&d, dst, size);
	return hd_decoder_finish(&d);
}

static void test_strings(void **state)
{
	char dst[5] = "????";

	(void)state;
	assert_int_equal(str_decode("\1\4\0abcd", 7, dst, 5), 0);
	assert_string_equal(dst, "abcd");
	assert_int_equal(str_decode("\1\5\0abcde", 8, dst, 5), HD_ECORRUPT);
	assert_string_equal(dst, "");
	assert_int_equal(str_decode("\1\3\0a\0c", 6, dst, 5), HD_ECORRUPT);
	assert_string_equal(dst, "");
	assert_int_equal(str_decode("\1\5\0abcd", 7, dst, 16), HD_ECORRUPT);
	assert_int_equal(str_decode("\1\377\377abcd", 7, dst, 5), HD_ECORRUPT);
	assert_int_equal(str_decode("\1\1\0", 3, dst, 5), HD_ECORRUPT);
	assert_int_equal(str_decode("\1\0\0", 3, dst, 1), 0);
}

static void test_encoder_limits(void **state)
{
	static char text[UINT16_MAX + 2];
	static uint8_t big[2 * HD_RECORD_MAX];
	struct hd_slice record = { "x", 1 };
	struct hd_encoder e;
	uint8_t buf[8];

	(void)state;
	hd_encoder_init(&e, buf, sizeof(buf), 1);
	hd_encode_u32(&e, 1);
	hd_encode_u32(&e, 1); /* 9 bytes */
	hd_encode_u8(&e, 1);  /* would fit, but the record is spoilt */
	assert_int_equal(hd_encoder_finish(&e, &record), HD_ELIMIT);
	assert_int_equal(record.len, 0);

	hd_encoder_init(&e, buf, 0, 1);
	assert_int_equal(hd_encoder_finish(&e, &record), HD_ELIMIT);
	hd_encoder_init(&e, NULL, 8, 1);
	assert_int_equal(hd_encoder_finish(&e, &record), HD_ELIMIT);

	hd_encoder_init(&e, big, sizeof(big), 1);
	hd_encode_bytes(&e, text, HD_RECORD_MAX - 1);
	assert_int_equal(hd_encoder_finish(&e, &record), 0);
	assert_int_equal(record.len, HD_RECORD_MAX);
	hd_encode_u8(&e, 1);
	assert_int_equal(hd_encoder_finish(&e, &record), HD_ELIMIT);

	memset(text, 'x', sizeof(text) - 1);
	hd_encoder_init(&e, big, sizeof(big), 1);
	hd_encode_str(&e, text);
	assert_int_equal(hd_encoder_finish(&e, &record), HD_ELIMIT);
}

static void test_keys_sort(void **state)
{
	static const uint64_t ordered[] = {
		0, 1, 255, 256, 65535, 65536, UINT64_C(1) << 32, UINT64_C(1) << 63, UINT64_MAX,
	};
	uint8_t a[8];
	uint8_t b[8];

	(void)state;
	for (size_t i = 0; i < sizeof(ordered) / sizeof(ordered[0]); i++) {
		hd_key_put_u64(a, ordered[i]);
		assert_int_equal(hd_key_get_u64(a), ordered[i]);
		if (i > 0)
			assert_true(memcmp(b, a, 8) < 0);
		memcpy(b, a, 8);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layout),	  cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_every_cut), cmocka_unit_test(test_versions),
		cmocka_unit_test(test_strings),	  cmocka_unit_test(test_encoder_limits),
		cmocka_unit_test(test_keys_sort),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
