/* test_mac.c - the MAC in what phones write. */
#include "fixture.h"

static void test_find(void **state)
{
	static const struct {
		const char *text, *mac;
	} rows[] = {
		{ "805e0c1a2b3c.cfg", "805e0c1a2b3c" },
		{ "805E0C1A2B3C", "805e0c1a2b3c" },
		{ "cfg000b82aabbcc.xml", "000b82aabbcc" },
		{ "spa0002fdff2103.cfg", "0002fdff2103" },
		{ "snomD785-000413AABB01.htm", "000413aabb01" },
		{ "MAC%3a000413741767", "000413741767" },
		{ "MAC%3A000B82123456", "000b82123456" },
		{ "MAC001565f429a4", "001565f429a4" },
		{ "MAC:14-00-E9-29-4C-6B V:6", "1400e9294c6b" },
		{ "x 00:15:65:4a:a9:37", "0015654aa937" },
		{ "6.4.1.2280_482567164887", "482567164887" },
		{ "f00df00df00d.cfg", "f00df00df00d" },
		{ "000000000000.cfg", "" },
		{ "y000000000108.cfg", "" },
		{ "(0080f000000)", "" },
		{ "0123456789abcdef", "" },
		{ "00:15:65-4a:a9:37", "" },
		{ "00:15:65:4a:a9", "" },
		{ "xMAC001565f429a4", "" },
		{ "", "" },
	};
	char mac[HD_MAC_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int want = rows[i].mac[0] ? 0 : HD_ENOENT;
		int got = hd_device_find_mac(mac, hd_slice_of(rows[i].text));

		if (got != want || strcmp(mac, rows[i].mac) != 0)
			fail_msg("\"%s\": expected \"%s\", got \"%s\"", rows[i].text, rows[i].mac,
				 mac);
	}
}

static void test_instance(void **state)
{
	static const struct {
		const char *value, *mac;
	} rows[] = {
		{ "\"<urn:uuid:00000000-0000-1000-8000-000B826C4283>\"", "000b826c4283" },
		{ "<urn:uuid:00000000-0000-1000-8000-00085D738C60>", "00085d738c60" },
		{ "urn:uuid:3f1b2c4d-0000-4000-8000-000413AABB01", "000413aabb01" },
		{ "00041325476C", "00041325476c" },
		/* a softphone's: random, or made of no card's address */
		{ "<urn:uuid:f81d4fae-7dec-41d0-a765-00a0c91e6bf6>", "" },
		{ "<urn:uuid:f81d4fae-7dec-11d0-a765-01a0c91e6bf6>", "" },
		{ "<urn:uuid:f81d4fae-7dec-11d0-a765-02a0c91e6bf6>", "" },
		{ "<urn:uuid:00000000-0000-1000-8000-000000000000>", "" },
		{ "<urn:uuid:00000000-0000-1000-8000-000B826C428>", "" },
		{ "<urn:imei:000413AABB01>", "" },
		{ "00041325476C5", "" },
		{ "<\"", "" },
		{ "", "" },
	};
	char mac[HD_MAC_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int want = rows[i].mac[0] ? 0 : HD_ENOENT;
		int got = hd_device_by_instance(mac, hd_slice_of(rows[i].value));

		if (got != want || strcmp(mac, rows[i].mac) != 0)
			fail_msg("\"%s\": expected \"%s\", got \"%s\"", rows[i].value, rows[i].mac,
				 mac);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_instance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
