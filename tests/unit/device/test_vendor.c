/* test_vendor.c - the table of vendors and their file names. */
#include "fixture.h"

static const struct hd_vendor *vendor(const char *name)
{
	size_t n;
	const struct hd_vendor *v = hd_vendors(&n);

	for (size_t i = 0; i < n; i++)
		if (strcmp(v[i].name, name) == 0)
			return &v[i];
	fail_msg("no vendor %s", name);
	return NULL;
}

static void test_rows(void **state)
{
	size_t n;
	const struct hd_vendor *v = hd_vendors(&n);

	(void)state;
	assert_int_equal(n, 11);
	assert_string_equal(v[n - 1].name, "generic");
	for (size_t i = 0; i < n; i++) {
		assert_non_null(v[i].template);
		assert_non_null(v[i].type);
		assert_non_null(v[i].event);
		assert_non_null(v[i].files[0]);
		assert_non_null(v[i].models);
		assert_non_null(v[i].common);
		/* What is fetched is acknowledged by the fetch, what is sent by the answer. */
		assert_int_equal(v[i].fetches, v[i].resync != HD_RESYNC_PATCH);
		if (v[i].resync == HD_RESYNC_PATCH || v[i].patch_files)
			assert_non_null(v[i].patch);
		if (v[i].patch)
			assert_non_null(v[i].patch_type);
		if (v[i].resync != HD_RESYNC_EMPTY)
			assert_non_null(v[i].event_type);
		assert_int_equal(!v[i].index, !v[i].index_files);
		assert_int_equal(!v[i].key_place, !v[i].keys);
		assert_true(v[i].key_place == 0 || v[i].lines < v[i].key_place);
		assert_ptr_equal(hd_vendor_of_model(v[i].name), &v[i]);
		assert_non_null(v[i].dhcp);
		assert_true(v[i].dhcp[0].option > 0);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(v[i].template, v[j].template);
	}
}

static void test_urls(void **state)
{
	static const char token[] = "abcdefghijklmnopqrstuvwx27", mac[] = "805e0c1a2b3c";
	static const struct {
		const char *vendor, *base, *token, *mac, *url;
	} rows[] = {
		{ "yealink", "https://h", "", "", "https://h/" },
		{ "yealink", "https://h/p/", token, mac,
		  "https://h/p/abcdefghijklmnopqrstuvwx27/" },
		{ "snom", "https://h/p", token, mac,
		  "https://h/p/abcdefghijklmnopqrstuvwx27/805E0C1A2B3C.xml" },
		{ "snom", "https://h/p", token, "",
		  "https://h/p/abcdefghijklmnopqrstuvwx27/{mac}.xml" },
		{ "snom", "https://h:8443", "", mac, "https://h:8443/{mac}.xml" },
		{ "cisco-mpp", "https://h", "", "", "https://h/$MA.xml" },
		{ "polycom", "https://h", token, mac, "https://h/abcdefghijklmnopqrstuvwx27/" },
	};
	char url[HD_URL_SIZE], base[HD_URL_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(hd_vendor_url(url, vendor(rows[i].vendor), rows[i].base,
					       rows[i].token, rows[i].mac),
				 0);
		assert_string_equal(url, rows[i].url);
	}
	memset(base, 'a', sizeof(base) - 1);
	base[sizeof(base) - 1] = '\0';
	assert_int_equal(hd_vendor_url(url, vendor("yealink"), base, token, mac), HD_ELIMIT);
	assert_string_equal(url, "");
}

static void test_models(void **state)
{
	static const struct {
		const char *model, *vendor;
	} rows[] = {
		{ "snom-d785", "snom" },
		{ "Snom D785", "snom" },
		{ "yealink-t46u", "yealink" },
		{ "comfortel-d-600", "auerswald" },
		{ "auerswald-d400", "auerswald" },
		{ "poly-edge-e350", "polycom" },
		{ "polycom-vvx-350", "polycom" },
		{ "cisco-spa525g", "cisco-spa" },
		{ "linksys-spa942", "cisco-spa" },
		{ "cisco-cp-8865-3pcc", "cisco-mpp" },
		{ "cisco-mpp-8851", "cisco-mpp" },
		{ "aastra-6731i", "mitel" },
		{ "mitel-6940", "mitel" },
		{ "gigaset-n870-ip-pro", "gigaset" },
		{ "fanvil-x4u", "fanvil" },
		{ "grandstream-grp2612w", "grandstream" },
		{ "generic", "generic" },
		{ "htek-uc926", "generic" },
		{ "", "generic" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(hd_vendor_of_model(rows[i].model)->name, rows[i].vendor) != 0)
			fail_msg("\"%s\": expected %s, got %s", rows[i].model, rows[i].vendor,
				 hd_vendor_of_model(rows[i].model)->name);
	assert_string_equal(hd_vendor_of_model(NULL)->name, "generic");
}

static void test_files(void **state)
{
	static const struct {
		const char *vendor, *mac, *file;
		enum hd_vendor_file want;
	} rows[] = {
		{ "yealink", "805e0c1a2b3c", "805e0c1a2b3c.cfg", HD_VENDOR_FILE_MAIN },
		{ "yealink", "805e0c1a2b3c", "805E0C1A2B3C.cfg", HD_VENDOR_FILE_MAIN },
		{ "yealink", "805e0c1a2b3c", "805e0c1a2b3d.cfg", HD_VENDOR_FILE_NONE },
		{ "yealink", "", "805e0c1a2b3d.cfg", HD_VENDOR_FILE_MAIN },
		{ "yealink", "805e0c1a2b3c", "y000000000108.cfg", HD_VENDOR_FILE_MAIN },
		{ "yealink", "805e0c1a2b3c", "y000000000000.boot", HD_VENDOR_FILE_OPTIONAL },
		{ "yealink", "805e0c1a2b3c", "805e0c1a2b3c.boot", HD_VENDOR_FILE_OPTIONAL },
		{ "yealink", "805e0c1a2b3c", "805e0c1a2b3c.cfgx", HD_VENDOR_FILE_NONE },
		{ "yealink", "805e0c1a2b3c", "x805e0c1a2b3c.cfg", HD_VENDOR_FILE_NONE },
		{ "snom", "000413aabb01", "snomD785-000413AABB01.htm", HD_VENDOR_FILE_MAIN },
		{ "snom", "000413aabb01", "snomD785-000413AABB02.htm", HD_VENDOR_FILE_NONE },
		{ "snom", "000413aabb01", "snomD785.htm", HD_VENDOR_FILE_MAIN },
		{ "snom", "000413aabb01", "000413AABB01.xml", HD_VENDOR_FILE_MAIN },
		{ "grandstream", "000b82aabbcc", "cfg000b82aabbcc.xml", HD_VENDOR_FILE_MAIN },
		{ "grandstream", "000b82aabbcc", "cfg000b82aabbcc", HD_VENDOR_FILE_MAIN },
		{ "grandstream", "000b82aabbcc", "cfg000b82aabbcd.xml", HD_VENDOR_FILE_NONE },
		{ "grandstream", "000b82aabbcc", "cfggxp2170.xml", HD_VENDOR_FILE_MAIN },
		{ "polycom", "482567164887", "482567164887.cfg", HD_VENDOR_FILE_INDEX },
		{ "polycom", "482567164887", "000000000000.cfg", HD_VENDOR_FILE_INDEX },
		{ "polycom", "482567164887", "482567164887-hotdesk.cfg", HD_VENDOR_FILE_MAIN },
		{ "polycom", "482567164887", "482567164887-phone.cfg", HD_VENDOR_FILE_OPTIONAL },
		{ "polycom", "482567164887", "000000000000-directory.xml",
		  HD_VENDOR_FILE_OPTIONAL },
		{ "cisco-spa", "0002fdff2103", "spa504G.cfg", HD_VENDOR_FILE_MAIN },
		{ "cisco-spa", "0002fdff2103", "0002FDFF2103.xml", HD_VENDOR_FILE_MAIN },
		{ "cisco-mpp", "00562b043615", "00562b043615.cfg", HD_VENDOR_FILE_MAIN },
		{ "fanvil", "0c383e557eb1", "0c383e557eb1.cfg", HD_VENDOR_FILE_MAIN },
		{ "fanvil", "0c383e557eb1", "f0C00580000.cfg", HD_VENDOR_FILE_MAIN },
		{ "mitel", "1400e9294c6b", "1400E9294C6B.cfg", HD_VENDOR_FILE_MAIN },
		{ "mitel", "1400e9294c6b", "aastra.cfg", HD_VENDOR_FILE_MAIN },
		{ "mitel", "1400e9294c6b", "1400E9294C6B-keys.xml", HD_VENDOR_FILE_PATCH },
		{ "mitel", "1400e9294c6b", "aastra.tuz", HD_VENDOR_FILE_OPTIONAL },
		{ "gigaset", "7c2f80e0d605", "7C2F80E0D605.xml", HD_VENDOR_FILE_MAIN },
		{ "gigaset", "7c2f80e0d605", "provisioning.xml", HD_VENDOR_FILE_MAIN },
		{ "auerswald", "000952aabbcc", "keys.xml", HD_VENDOR_FILE_PATCH },
		{ "auerswald", "000952aabbcc", "000952aabbcc.xml", HD_VENDOR_FILE_MAIN },
		{ "generic", "001122334455", "001122334455.cfg", HD_VENDOR_FILE_MAIN },
		{ "generic", "001122334455", "../001122334455.cfg", HD_VENDOR_FILE_NONE },
		{ "generic", "001122334455", "", HD_VENDOR_FILE_NONE },
		{ "snom", "000413aabb01", "passwd", HD_VENDOR_FILE_NONE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum hd_vendor_file got = hd_vendor_file_of(vendor(rows[i].vendor), rows[i].mac,
							    hd_slice_of(rows[i].file));

		if (got != rows[i].want)
			fail_msg("%s, %s: expected %d, got %d", rows[i].vendor, rows[i].file,
				 (int)rows[i].want, (int)got);
	}
}

static void test_file_name(void **state)
{
	char name[32];
	char small[12];

	(void)state;
	assert_ok(
		hd_vendor_file_name(name, sizeof(name), vendor("yealink")->files, "805e0c1a2b3c"));
	assert_string_equal(name, "805e0c1a2b3c.cfg");
	assert_ok(hd_vendor_file_name(name, sizeof(name), vendor("mitel")->patch_files,
				      "1400e9294c6b"));
	assert_string_equal(name, "1400E9294C6B-keys.xml");
	assert_int_equal(hd_vendor_file_name(name, sizeof(name), vendor("snom")->files, ""),
			 HD_ENOENT);
	assert_int_equal(hd_vendor_file_name(name, sizeof(name), NULL, "805e0c1a2b3c"), HD_ENOENT);
	assert_int_equal(
		hd_vendor_file_name(small, sizeof(small), vendor("snom")->files, "000413aabb01"),
		HD_ELIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),	  cmocka_unit_test(test_urls),
		cmocka_unit_test(test_models),	  cmocka_unit_test(test_files),
		cmocka_unit_test(test_file_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
