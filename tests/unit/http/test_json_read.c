/* test_json_read.c - bodies read by a table of fields: every refusal names its field. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "hotdesk/http.h"

struct values {
	char name[8];
	char pin[8];
	bool on;
	bool has_name, has_pin, has_on;
};

static int take(struct values *v, const char *text, size_t len, struct hd_buf *why)
{
	const struct hd_json_field fields[] = {
		{ "name", HD_JSON_TEXT, v->name, sizeof(v->name), true, false, &v->has_name },
		{ "pin", HD_JSON_TEXT, v->pin, sizeof(v->pin), false, true, &v->has_pin },
		{ "on", HD_JSON_BOOL, &v->on, 0, false, false, &v->has_on },
	};

	return hd_json_read((struct hd_slice){ text, len }, fields, 3, why);
}

static void test_values(void **state)
{
	static const char text[] = " {\"name\": \"Anna\", \"pin\": null, \"on\": true} ";
	struct values v = { .pin = "old" };
	struct hd_buf why = { 0 };

	(void)state;
	assert_int_equal(take(&v, text, strlen(text), &why), 0);
	assert_string_equal(v.name, "Anna");
	assert_string_equal(v.pin, "");
	assert_true(v.on);
	assert_true(v.has_name && v.has_pin && v.has_on);
	assert_int_equal(take(&v, "{\"name\":\"B\"}", 12, &why), 0);
	assert_true(v.has_name);
	assert_false(v.has_pin);
	assert_true(v.on); /* absent: untouched */
	assert_int_equal(why.len, 0);
	hd_buf_fini(&why);
}

static void test_refusals(void **state)
{
	static const struct {
		const char *text;
		int err;
		const char *why;
	} rows[] = {
		{ "", HD_EPARSE, "not JSON" },
		{ "{", HD_EPARSE, "line 1, column 1: not JSON" },
		{ "[]", HD_EPARSE, "expected a JSON object" },
		{ "{} x", HD_EPARSE, "not JSON" },
		{ "{}", HD_EPARSE, "name: missing" },
		{ "{\"name\": 1}", HD_EPARSE, "name: expected a string" },
		{ "{\"name\": null}", HD_EPARSE, "name: expected a string" },
		{ "{\"name\": \"x\", \"pin\": 471147}", HD_EPARSE,
		  "pin: expected a string or null" },
		{ "{\"name\": \"x\", \"on\": \"yes\"}", HD_EPARSE, "on: expected true or false" },
		{ "{\"name\": \"12345678\"}", HD_ELIMIT, "name: longer than 7 bytes" },
		{ "{\"name\": \"a\\nb\"}", HD_EPARSE, "name: control characters are not allowed" },
		{ "{\"name\": \"x\", \"nome\": \"y\"}", HD_EPARSE, "nome: no such field" },
		{ "{\"name\": \"x\", \"name\": \"y\"}", HD_EPARSE, "not JSON" },
		{ "{\"name\": \"\xff\"}", HD_EPARSE, "not JSON" },
		{ "{\"name\": \"\\u0000\"}", HD_EPARSE, "not JSON" },
	};
	struct values v = { 0 };
	struct hd_buf why;
	int err;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(&why, 0, sizeof(why));
		err = take(&v, rows[i].text, strlen(rows[i].text), &why);
		if (err != rows[i].err || !strstr(hd_buf_text(&why), rows[i].why))
			fail_msg("%s: expected %d \"%s\", got %d \"%s\"", rows[i].text, rows[i].err,
				 rows[i].why, err, hd_buf_text(&why));
		hd_buf_fini(&why);
	}
}

/* A refusal must not quote a PIN that stands near the mistake. */
static void test_no_value_in_refusal(void **state)
{
	static const char *const texts[] = {
		"{\"name\": \"x\", \"pin\": \"471147\" \"y\"}",
		"{\"name\": \"x\", \"pin\": 471147}",
		"{\"name\": \"x\", \"pin\": \"471147471147\"}",
		"{\"name\": \"x\", \"pin\": \"471147",
	};
	struct values v = { 0 };
	struct hd_buf why;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		memset(&why, 0, sizeof(why));
		assert_int_not_equal(take(&v, texts[i], strlen(texts[i]), &why), 0);
		assert_null(strstr(hd_buf_text(&why), "471147"));
		hd_buf_fini(&why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_no_value_in_refusal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
