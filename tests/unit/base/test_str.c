/* test_str.c - slices, bounded copies, decimal numbers. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "hotdesk/base/str.h"

static void test_slices(void **state)
{
	struct hd_slice none = hd_slice_of(NULL);
	struct hd_slice empty = hd_slice_of("");
	struct hd_slice word = hd_slice_of("Anna");

	(void)state;
	assert_null(none.ptr);
	assert_int_equal(none.len, 0);
	assert_true(hd_slice_eq(none, empty));
	assert_true(hd_slice_caseeq(none, empty));
	assert_true(hd_slice_eq(word, hd_slice_of("Anna")));
	assert_false(hd_slice_eq(word, hd_slice_of("anna")));
	assert_false(hd_slice_eq(word, hd_slice_of("Ann")));
	assert_false(hd_slice_eq(word, hd_slice_of("Annab")));
	assert_true(hd_slice_is(word, "Anna"));
	assert_false(hd_slice_is(word, NULL));
	assert_true(hd_slice_is(none, NULL));
}

static void test_case_is_ascii_only(void **state)
{
	(void)state;
	assert_true(hd_slice_caseis(hd_slice_of("SIP-AZaz@[`{"), "sip-azAZ@[`{"));
	/* '@' and '`', '[' and '{' differ by the same bit as letters of two cases */
	assert_false(hd_slice_caseis(hd_slice_of("@"), "`"));
	assert_false(hd_slice_caseis(hd_slice_of("["), "{"));
	assert_false(hd_slice_caseis(hd_slice_of("\xc4"), "\xe4"));
	assert_false(hd_slice_caseis(hd_slice_of("ab"), "abc"));
}

static void test_trim(void **state)
{
	static const char *const cases[][2] = {
		{ " \t\r\nx y\r\n \t", "x y" },
		{ "x", "x" },
		{ "", "" },
		{ " \r\n\t ", "" },
		{ "\vx", "\vx" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_true(hd_slice_is(hd_slice_trim(hd_slice_of(cases[i][0])), cases[i][1]));
	assert_int_equal(hd_slice_trim((struct hd_slice){ 0 }).len, 0);
}

static void test_copy(void **state)
{
	char dst[5];

	(void)state;
	assert_int_equal(hd_str_set(dst, sizeof(dst), "1234"), 0);
	assert_string_equal(dst, "1234");
	assert_int_equal(hd_str_set(dst, sizeof(dst), "12345"), HD_ELIMIT);
	assert_string_equal(dst, "");
	assert_int_equal(hd_str_set(dst, sizeof(dst), "x"), 0);
	assert_int_equal(hd_str_set(dst, sizeof(dst), NULL), 0);
	assert_string_equal(dst, "");
	assert_int_equal(hd_str_set(dst, sizeof(dst), "x"), 0);
	assert_int_equal(hd_str_copy(dst, sizeof(dst), (struct hd_slice){ "a\0b", 3 }), HD_ELIMIT);
	assert_string_equal(dst, "");
	assert_int_equal(hd_str_copy(dst, sizeof(dst), (struct hd_slice){ "abcdef", 3 }), 0);
	assert_string_equal(dst, "abc");
	assert_int_equal(hd_str_copy(dst, 0, hd_slice_of("")), HD_ELIMIT);
	assert_int_equal(hd_str_copy(NULL, 5, hd_slice_of("")), HD_ELIMIT);
	assert_int_equal(hd_str_copy(dst, 1, hd_slice_of("")), 0);
	assert_int_equal(hd_str_copy(dst, 1, hd_slice_of("a")), HD_ELIMIT);
}

static void test_numbers(void **state)
{
	static const struct {
		const char *text;
		uint64_t max;
		int err;
		uint64_t value;
	} cases[] = {
		{ "0", UINT64_MAX, 0, 0 },
		{ "007", 10, 0, 7 },
		{ "65535", 65535, 0, 65535 },
		{ "65536", 65535, HD_ELIMIT, 0 },
		{ "18446744073709551615", UINT64_MAX, 0, UINT64_MAX },
		{ "18446744073709551616", UINT64_MAX, HD_ELIMIT, 0 },
		{ "18446744073709551620", UINT64_MAX, HD_ELIMIT, 0 },
		{ "99999999999999999999999999", UINT64_MAX, HD_ELIMIT, 0 },
		{ "99999999999999999999999999x", UINT64_MAX, HD_EPARSE, 0 },
		{ "00000000000000000000000000000000000001", 1, 0, 1 },
		{ "", 10, HD_EPARSE, 0 },
		{ "+1", 10, HD_EPARSE, 0 },
		{ "-1", 10, HD_EPARSE, 0 },
		{ " 1", 10, HD_EPARSE, 0 },
		{ "1 ", 10, HD_EPARSE, 0 },
		{ "0x1", 10, HD_EPARSE, 0 },
		{ "1.5", 10, HD_EPARSE, 0 },
		{ "/", 10, HD_EPARSE, 0 },
		{ ":", 10, HD_EPARSE, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t v = 77;
		int err = hd_u64_parse(&v, hd_slice_of(cases[i].text), cases[i].max);

		if (err != cases[i].err)
			fail_msg("\"%s\": expected %d, got %d", cases[i].text, cases[i].err, err);
		assert_int_equal(v, err ? 77 : cases[i].value);
	}
}

static void test_ipv4(void **state)
{
	static const char *const texts[] = { "0.0.0.0",	    "127.0.0.1",  "10.9.99.100",
					     "192.0.2.255", "1.20.200.3", "255.255.255.255" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char text[HD_IPV4_SIZE];
		uint8_t address[4];

		assert_int_equal(inet_pton(AF_INET, texts[i], address), 1);
		hd_ipv4_format(text, address);
		assert_string_equal(text, texts[i]);
	}
}

static void test_u32(void **state)
{
	static const uint32_t numbers[] = { 0, 9, 10, 5060, 65535, 4294967295U };
	char text[HD_U32_SIZE], wanted[HD_U32_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		hd_u32_format(text, numbers[i]);
		snprintf(wanted, sizeof(wanted), "%u", numbers[i]);
		assert_string_equal(text, wanted);
	}
}

static void test_join(void **state)
{
	const char *const parts[] = { "sip:", "", "desk", "@192.0.2.1", NULL };
	char text[20];

	(void)state;
	assert_int_equal(hd_str_join(text, sizeof(text), parts), 0);
	assert_string_equal(text, "sip:desk@192.0.2.1");
	assert_int_equal(hd_str_join(text, 19, parts), 0); /* all of it and its end */
	assert_string_equal(text, "sip:desk@192.0.2.1");
	assert_int_equal(hd_str_join(text, 18, parts), HD_ELIMIT);
	assert_string_equal(text, "sip:desk@192.0.2.");
	assert_int_equal(hd_str_join(text, 1, parts), HD_ELIMIT);
	assert_string_equal(text, "");
	assert_int_equal(hd_str_join(text, 1, parts + 4), 0);
	assert_string_equal(text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ipv4),
		cmocka_unit_test(test_slices),
		cmocka_unit_test(test_case_is_ascii_only),
		cmocka_unit_test(test_trim),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_u32),
		cmocka_unit_test(test_join),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
