/* test_json.c - the JSON we write, read back by jansson. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <string.h>

#include "hotdesk/http.h"

static void test_shapes(void **state)
{
	struct hd_buf b = { 0 };
	struct hd_json j;

	(void)state;
	hd_json_init(&j, &b);
	hd_json_object(&j, NULL);
	hd_json_str(&j, "a", "x");
	hd_json_array(&j, "list");
	hd_json_int(&j, NULL, -5);
	hd_json_uint(&j, NULL, UINT64_MAX);
	hd_json_object(&j, NULL);
	hd_json_object_end(&j);
	hd_json_array_end(&j);
	hd_json_bool(&j, "t", true);
	hd_json_str(&j, "n", NULL);
	hd_json_time(&j, "never", 0);
	hd_json_time(&j, "at", 1000);
	hd_json_object_end(&j);
	assert_int_equal(hd_buf_error(&b), 0);
	assert_string_equal(hd_buf_text(&b),
			    "{\"a\": \"x\", \"list\": [-5, 18446744073709551615, {}], \"t\": true, "
			    "\"n\": null, \"never\": null, \"at\": \"1970-01-01T00:00:01.000Z\"}");
	hd_buf_fini(&b);
}

/* What is written must be JSON for any bytes, and the same bytes where they are UTF-8. */
static void test_text(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "", "" },
		{ "quote \" back \\ slash /", "quote \" back \\ slash /" },
		{ "tab\t nl\n bell\a del\x7f", "tab\t nl\n bell\a del\x7f" },
		{ "J\xc3\xbcrgen \xe2\x82\xac \xf0\x9f\x98\x80",
		  "J\xc3\xbcrgen \xe2\x82\xac \xf0\x9f\x98\x80" },
		{ "broken \xff.", "broken \xef\xbf\xbd." },
		{ "cut \xe2\x82", "cut \xef\xbf\xbd\xef\xbf\xbd" },
		{ "overlong \xc0\xaf", "overlong \xef\xbf\xbd\xef\xbf\xbd" },
		{ "surrogate \xed\xa0\x80", "surrogate \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "beyond \xf4\x90\x80\x80",
		  "beyond \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	};
	struct hd_buf b;
	struct hd_json j;
	json_t *root;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(&b, 0, sizeof(b));
		hd_json_init(&j, &b);
		hd_json_array(&j, NULL);
		hd_json_str(&j, NULL, rows[i].in);
		hd_json_array_end(&j);
		root = json_loads(hd_buf_text(&b), 0, NULL);
		if (!root)
			fail_msg("row %zu is not JSON: %s", i, hd_buf_text(&b));
		assert_string_equal(json_string_value(json_array_get(root, 0)), rows[i].out);
		json_decref(root);
		hd_buf_fini(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
