/* test_codec.c - RFC 4648 (sections 5, 8 and 10) and RFC 3629, valid and broken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "hotdesk/base/str.h"

#include "base/base_priv.h"

/* RFC 4648 section 10, without the padding */
static const struct {
	const char *bytes;
	const char *base64;
	const char *base16;
} rfc4648[] = {
	{ "", "", "" },
	{ "f", "Zg", "66" },
	{ "fo", "Zm8", "666F" },
	{ "foo", "Zm9v", "666F6F" },
	{ "foob", "Zm9vYg", "666F6F62" },
	{ "fooba", "Zm9vYmE", "666F6F6261" },
	{ "foobar", "Zm9vYmFy", "666F6F626172" },
};

static void test_rfc4648(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rfc4648) / sizeof(rfc4648[0]); i++) {
		const char *bytes = rfc4648[i].bytes;
		size_t n = strlen(bytes);
		size_t got = 8;
		char text[16];
		char back[8];

		hd_base64url_format(text, bytes, n);
		assert_string_equal(text, rfc4648[i].base64);
		assert_int_equal(hd_base64url_parse(back, &got, hd_slice_of(text)), 0);
		assert_int_equal(got, n);
		assert_memory_equal(back, bytes, n);

		hd_hex_format(text, bytes, n);
		assert_true(hd_slice_caseis(hd_slice_of(text), rfc4648[i].base16));
		assert_int_equal(hd_hex_parse(back, n, hd_slice_of(rfc4648[i].base16)), 0);
		assert_memory_equal(back, bytes, n);
		assert_int_equal(hd_hex_parse(back, n, hd_slice_of(text)), 0);
		assert_memory_equal(back, bytes, n);
	}
}

static void test_base64url_alphabet(void **state)
{
	const uint8_t bytes[] = { 0xfb, 0xef, 0xff, 0x00, 0x10, 0x83 };
	char text[9];

	(void)state;
	hd_base64url_format(text, bytes, sizeof(bytes));
	assert_string_equal(text, "--__ABCD");
}

static void test_base64url_all_lengths(void **state)
{
	uint8_t bytes[64];
	uint8_t back[64];
	char text[64 * 4 / 3 + 4];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 37 + 11);
	for (size_t n = 0; n <= sizeof(bytes); n++) {
		size_t got = n;

		hd_base64url_format(text, bytes, n);
		assert_int_equal(strlen(text), (n * 4 + 2) / 3);
		assert_int_equal(hd_base64url_parse(back, &got, hd_slice_of(text)), 0);
		assert_int_equal(got, n);
		assert_memory_equal(back, bytes, n);
		if (n > 0) {
			got = n - 1;
			assert_int_equal(hd_base64url_parse(back, &got, hd_slice_of(text)),
					 HD_ELIMIT);
		}
	}
}

static void test_base64url_refuses(void **state)
{
	static const char *const bad[] = {
		"Z",	"Zm9vY",      "Zg==", "Zm8=", "Zm9v\n",
		"Zm 9", "Zm+v",	      "Zm/v", "Zm.v", "Zh", /* bits behind the last byte */
		"Zm9",	"Zm\xc3\xa4",
	};
	char back[16];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		size_t n = sizeof(back);

		if (hd_base64url_parse(back, &n, hd_slice_of(bad[i])) != HD_EPARSE)
			fail_msg("\"%s\" was taken", bad[i]);
	}
}

static void test_hex_refuses(void **state)
{
	uint8_t back[2] = { 1, 2 };

	(void)state;
	assert_int_equal(hd_hex_parse(back, 2, hd_slice_of("abc")), HD_EPARSE);
	assert_int_equal(hd_hex_parse(back, 2, hd_slice_of("ab")), HD_EPARSE);
	assert_int_equal(hd_hex_parse(back, 2, hd_slice_of("abcdef")), HD_EPARSE);
	assert_int_equal(hd_hex_parse(back, 2, hd_slice_of("abcg")), HD_EPARSE);
	assert_int_equal(hd_hex_parse(back, 2, hd_slice_of("ab d")), HD_EPARSE);
	assert_int_equal(back[0], 1); /* nothing written on an error */
	assert_int_equal(hd_hex_parse(back, 0, hd_slice_of("")), 0);
}

static struct hd_slice bytes_of(const uint8_t *p, size_t n)
{
	return (struct hd_slice){ .ptr = (const char *)p, .len = n };
}

static size_t utf8_put(uint8_t *p, uint32_t c)
{
	if (c < 0x80) {
		p[0] = (uint8_t)c;
		return 1;
	}
	if (c < 0x800) {
		p[0] = (uint8_t)(0xc0 | c >> 6);
		p[1] = (uint8_t)(0x80 | (c & 63));
		return 2;
	}
	if (c < 0x10000) {
		p[0] = (uint8_t)(0xe0 | c >> 12);
		p[1] = (uint8_t)(0x80 | (c >> 6 & 63));
		p[2] = (uint8_t)(0x80 | (c & 63));
		return 3;
	}
	p[0] = (uint8_t)(0xf0 | c >> 18);
	p[1] = (uint8_t)(0x80 | (c >> 12 & 63));
	p[2] = (uint8_t)(0x80 | (c >> 6 & 63));
	p[3] = (uint8_t)(0x80 | (c & 63));
	return 4;
}

/* Every code point: controls and surrogates are no text, all others are. */
static void test_utf8_every_code_point(void **state)
{
	uint8_t p[4];

	(void)state;
	for (uint32_t c = 0; c < 0x140000; c++) {
		bool text = c >= 0x20 && c != 0x7f && !(c >= 0xd800 && c < 0xe000) && c <= 0x10ffff;
		size_t n = utf8_put(p, c);

		if (hd_utf8_is_text(bytes_of(p, n)) != text)
			fail_msg("U+%04X: expected %d", c, text);
		if (n > 1 && hd_utf8_is_text(bytes_of(p, n - 1)))
			fail_msg("U+%04X without its last byte was taken", c);
	}
}

/* What a decoder that only knows the shape of the bytes makes of them. */
static bool shape_decode(const uint8_t p[4], size_t n, uint32_t *cp)
{
	static const uint8_t lead_mask[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	static const uint8_t lead_bits[] = { 0, 0x00, 0xc0, 0xe0, 0xf0 };

	if ((p[0] & (uint8_t)~lead_mask[n]) != lead_bits[n])
		return false;
	*cp = p[0] & lead_mask[n];
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return false;
		*cp = *cp << 6 | (p[i] & 63);
	}
	return true;
}

/* All sequences of two bytes, and of three and four with chosen tails, against the definition. */
static void test_utf8_sequences(void **state)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	static const uint8_t tails[] = { 0x00, 0x41, 0x7f, 0x80, 0x8f, 0xa0, 0xbf, 0xc0, 0xff };
	enum { TAILS = sizeof(tails) };

	(void)state;
	for (size_t n = 2; n <= 4; n++) {
		for (uint32_t i = 0; i < 65536u * TAILS * TAILS; i += n == 4 ? 1 : TAILS) {
			uint32_t pair = i / (TAILS * TAILS);
			const uint8_t p[4] = { (uint8_t)(pair >> 8), (uint8_t)pair,
					       tails[i / TAILS % TAILS], tails[i % TAILS] };
			uint32_t cp = 0;
			bool good;

			if (p[0] < 0x80)
				continue;
			good = shape_decode(p, n, &cp) && cp >= least[n] && cp <= 0x10ffff &&
			       !(cp >= 0xd800 && cp < 0xe000);
			if ((hd_utf8_char_len(bytes_of(p, n)) == n) != good)
				fail_msg("%02x %02x %02x %02x: expected %d", p[0], p[1], p[2], p[3],
					 good);
		}
	}
}

static void test_utf8_text(void **state)
{
	static const char *const good[] = {
		"",
		"Anna Berg",
		"J\xc3\xbcrgen \xe2\x82\xac \xf0\x9f\x93\x9e",
		"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5",
		"\xef\xbf\xbd",
	};
	/* overlong '/', overlong NUL, surrogates, CESU-8, lone and missing continuations, FE FF */
	static const char *const bad[] = {
		"\xc0\xaf",
		"\xe0\x80\xaf",
		"\xf0\x80\x80\xaf",
		"\xf8\x80\x80\x80\xaf",
		"\xc0\x80",
		"\xed\xa0\x80",
		"\xed\xbf\xbf",
		"\xed\xa0\xbd\xed\xb3\x9e",
		"\x80",
		"a\xbf",
		"\xc3",
		"\xe2\x82z",
		"\xfe",
		"\xff\xff",
		"\xf4\x90\x80\x80",
		"a\tb",
		"a\nb",
		"\x7f",
		"\x1b[31m",
		"J\xfcrgen",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(hd_utf8_is_text(hd_slice_of(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (hd_utf8_is_text(hd_slice_of(bad[i])))
			fail_msg("bad text %zu was taken", i);
	assert_false(hd_utf8_is_text((struct hd_slice){ "a\0b", 3 }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc4648),
		cmocka_unit_test(test_base64url_alphabet),
		cmocka_unit_test(test_base64url_all_lengths),
		cmocka_unit_test(test_base64url_refuses),
		cmocka_unit_test(test_hex_refuses),
		cmocka_unit_test(test_utf8_every_code_point),
		cmocka_unit_test(test_utf8_sequences),
		cmocka_unit_test(test_utf8_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
