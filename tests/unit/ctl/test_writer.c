/* test_writer.c - tables and records for people; nothing in them steers the terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "ctl/ctl_priv.h"

static const struct ctl_column columns[] = {
	{ "A", "a" },
	{ "LONG TITLE", "b" },
	{ "C", "c" },
};

static char *table(const char *json)
{
	json_t *rows = json_loads(json, 0, NULL);
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(rows);
	assert_non_null(out);
	ctl_write_table(out, rows, columns, 3);
	assert_int_equal(fclose(out), 0);
	json_decref(rows);
	return text;
}

static char *record(const char *json)
{
	json_t *object = json_loads(json, 0, NULL);
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(object);
	assert_non_null(out);
	ctl_write_record(out, object);
	assert_int_equal(fclose(out), 0);
	json_decref(object);
	return text;
}

static void test_table(void **state)
{
	char *text;

	(void)state;
	text = table("[{\"a\": \"x\", \"b\": true, \"c\": 5},"
		     " {\"a\": \"J\\u00fcrgen\", \"b\": null, \"c\": \"\"}, {\"b\": false}]");
	assert_string_equal(text, "A       LONG TITLE  C\n"
				  "x       yes         5\n"
				  "J\xc3\xbcrgen  -           \n"
				  "-       no          -\n");
	free(text);
	text = table("[]");
	assert_string_equal(text, "A  LONG TITLE  C\n");
	free(text);
}

static void test_control_characters(void **state)
{
	char *text;

	(void)state;
	text = table("[{\"a\": \"\\u001b[31mred\\u0007\", \"b\": \"two\\nlines\","
		     " \"c\": \"c1 \\u009b end\"}]");
	assert_null(strchr(text, '\033'));
	assert_null(strchr(text, '\a'));
	assert_null(strstr(text, "\xc2\x9b"));
	assert_non_null(strstr(text, "?[31mred?"));
	assert_non_null(strstr(text, "two?lines"));
	assert_non_null(strstr(text, "c1 ? end"));
	free(text);
}

static void test_record(void **state)
{
	char *text;

	(void)state;
	text = record("{\"number\": \"201\", \"lock\": {\"failures\": 2, \"until\": null},"
		      " \"owns\": [\"a\", \"b\"], \"none\": [],"
		      " \"bindings\": [{\"contact\": \"sip:x\", \"cseq\": 7}], \"on\": true}");
	assert_string_equal(text, "number: 201\n"
				  "lock.failures: 2\n"
				  "lock.until: -\n"
				  "owns: a, b\n"
				  "none: -\n"
				  "bindings.1.contact: sip:x\n"
				  "bindings.1.cseq: 7\n"
				  "on: yes\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_control_characters),
		cmocka_unit_test(test_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
