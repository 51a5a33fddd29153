/* test_path.c - what is asked for: every honest way of vendors, and every trick. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "provision/provision_priv.h"

#define TOKEN "abcdefghijklmnopqrstuvwx27"

static void test_honest(void **state)
{
	static const struct {
		const char *prefix, *target, *token, *file;
	} rows[] = {
		{ "", "/" TOKEN "/805e0c1a2b3c.cfg", TOKEN, "805e0c1a2b3c.cfg" },
		{ "/phones", "/phones/" TOKEN "/805e0c1a2b3c.cfg", TOKEN, "805e0c1a2b3c.cfg" },
		{ "/a/b", "/a/b/" TOKEN "/x.xml", TOKEN, "x.xml" },
		{ "", "/" TOKEN, TOKEN, "" },
		{ "", "/" TOKEN "/", TOKEN, "" },
		{ "", "/" TOKEN "?mac=000413AABB01", TOKEN, "" },
		{ "", "/" TOKEN "/snomD785-000413AABB01.htm?x=/../y", TOKEN,
		  "snomD785-000413AABB01.htm" },
		{ "", "/" TOKEN "/Cisco/CP-8851-3PCC/00562b043615.xml", TOKEN, "00562b043615.xml" },
		{ "", "/Cisco/CP-8851-3PCC/00562b043615.xml", "", "00562b043615.xml" },
		{ "", "/y000000000108.cfg", "", "y000000000108.cfg" },
		{ "", "/", "", "" },
		{ "", "/%30%30562b043615.xml", "", "00562b043615.xml" },
		{ "", "/a%20b.cfg", "", "a b.cfg" },
		{ "", "https://desk.example:8443/" TOKEN "/x", TOKEN, "x" },
		{ "", "HTTP://[::1]/x", "", "x" },
		/* Not a token: too short, too long, upper case, digits that base32 has not. */
		{ "", "/abcdefghijklmnopqrstuvwx2/x", "", "x" },
		{ "", "/" TOKEN "a/x", "", "x" },
		{ "", "/ABCDEFGHIJKLMNOPQRSTUVWX27/x", "", "x" },
		{ "", "/abcdefghijklmnopqrstuvwx01/x", "", "x" },
		/* Only the first part can be one. */
		{ "", "/x/" TOKEN, "", TOKEN },
	};
	struct provision_path path;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (provision_path_parse(&path, rows[i].prefix, hd_slice_of(rows[i].target)) ||
		    strcmp(path.token, rows[i].token) != 0 || strcmp(path.file, rows[i].file) != 0)
			fail_msg("%s: expected \"%s\" and \"%s\", got \"%s\" and \"%s\"",
				 rows[i].target, rows[i].token, rows[i].file, path.token,
				 path.file);
	}
}

static void test_tricks(void **state)
{
	static const char *const targets[] = {
		"",
		"*",
		"x.cfg",
		"/..",
		"/../x",
		"/" TOKEN "/..",
		"/" TOKEN "/../x.cfg",
		"/" TOKEN "/./x.cfg",
		"/" TOKEN "/%2e%2e/x.cfg",
		"/" TOKEN "/.%2E/x.cfg",
		"/" TOKEN "//x.cfg",
		"//" TOKEN "/x.cfg",
		"//",
		"/" TOKEN "/x.cfg%00",
		"/" TOKEN "/x%00.cfg",
		"/" TOKEN "/a%2fb",
		"/" TOKEN "/a%5cb",
		"/" TOKEN "/a\\b",
		"/" TOKEN "/%252e%252e",
		"/" TOKEN "/%",
		"/" TOKEN "/%2",
		"/" TOKEN "/%zz",
		"/" TOKEN "/%0d%0aX: y",
		"/" TOKEN "/\x7f",
		"/" TOKEN "/\xc3\xbc",
		"/" TOKEN "/%c3%bc",
		"/a/b/c/d/e/f/g/h/i",
		"https://desk.example",
		"ftp://desk.example/x",
	};
	struct provision_path path;
	int err;

	(void)state;
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		err = provision_path_parse(&path, "", hd_slice_of(targets[i]));
		if (err != HD_EPARSE)
			fail_msg("%s: expected a refusal, got %d", targets[i], err);
	}
}

static void test_lengths(void **state)
{
	char target[2 * PROVISION_TARGET_MAX];
	struct provision_path path;

	(void)state;
	memset(target, 'a', sizeof(target));
	target[0] = '/';
	assert_int_equal(provision_path_parse(&path, "", (struct hd_slice){ target, 129 }), 0);
	assert_int_equal(strlen(path.file), 128);
	assert_int_equal(provision_path_parse(&path, "", (struct hd_slice){ target, 130 }),
			 HD_EPARSE);
	target[1] = '?';
	assert_int_equal(
		provision_path_parse(&path, "", (struct hd_slice){ target, PROVISION_TARGET_MAX }),
		0);
	assert_int_equal(provision_path_parse(
				 &path, "", (struct hd_slice){ target, PROVISION_TARGET_MAX + 1 }),
			 HD_EPARSE);
}

static void test_prefix(void **state)
{
	static const char *const targets[] = { "/", "/phones", "/phonesx/y", "/phone/x",
					       "/Phones/x" };
	struct provision_path path;

	(void)state;
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++)
		if (provision_path_parse(&path, "/phones", hd_slice_of(targets[i])) != HD_ENOENT)
			fail_msg("%s: expected to be none of ours", targets[i]);
	assert_int_equal(provision_path_parse(&path, "/phones", hd_slice_of("/phones/")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_honest),
		cmocka_unit_test(test_tricks),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_prefix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
