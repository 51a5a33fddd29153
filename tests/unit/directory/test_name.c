/* test_name.c - numbers, phone ids, MAC addresses. */
#include "fixture.h"

static void test_number(void **state)
{
	static const char *const good[] = { "201", "*201", "+49.30-1", "a_Z#",
					    "12345678901234567890123456789012" };
	static const char *const bad[] = { "",
					   "2 01",
					   "201;x",
					   "2\x01",
					   "201@h",
					   "\xc3\xa4",
					   "123456789012345678901234567890123" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		if (!hd_number_is_valid(hd_slice_of(good[i])))
			fail_msg("%s should be a number", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (hd_number_is_valid(hd_slice_of(bad[i])))
			fail_msg("\"%s\" should not be a number", bad[i]);
	assert_false(hd_number_is_valid((struct hd_slice){ "20\0001", 4 }));
	assert_false(hd_number_is_valid((struct hd_slice){ NULL, 0 }));
}

static void test_phone_id(void **state)
{
	char id[HD_PHONE_ID_SIZE + 1];

	(void)state;
	memset(id, 'x', sizeof(id));
	assert_true(hd_phone_id_is_valid((struct hd_slice){ id, HD_PHONE_ID_SIZE - 1 }));
	assert_false(hd_phone_id_is_valid((struct hd_slice){ id, HD_PHONE_ID_SIZE }));
	assert_false(hd_phone_id_is_valid(hd_slice_of("desk 101")));
}

static void test_mac(void **state)
{
	static const struct {
		const char *text, *want; /* want NULL: refused */
	} rows[] = {
		{ "00:04:13:AA:bb:01", "000413aabb01" },
		{ "00-04-13-AA-bb-01", "000413aabb01" },
		{ "000413aabb01", "000413aabb01" },
		{ "000413AABB01", "000413aabb01" },
		{ "00:04:13-AA-bb-01", NULL },
		{ "00-04:13:AA:bb:01", NULL },
		{ "000413aabb0", NULL },
		{ "000413aabb012", NULL },
		{ "00:04:13:aa:bb:0g", NULL },
		{ "00 04 13 aa bb 01", NULL },
		{ "", NULL },
		{ "0:4:13:aa:bb:01:2", NULL },
	};
	char mac[13];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int err = hd_mac_parse(mac, hd_slice_of(rows[i].text));

		if (err != (rows[i].want ? 0 : HD_EPARSE))
			fail_msg("\"%s\" gives %d", rows[i].text, err);
		assert_string_equal(mac, rows[i].want ? rows[i].want : "");
	}
	assert_int_equal(hd_mac_parse(NULL, hd_slice_of("000413aabb01")), HD_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_number),
		cmocka_unit_test(test_phone_id),
		cmocka_unit_test(test_mac),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
