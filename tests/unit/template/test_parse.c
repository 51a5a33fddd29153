/* test_parse.c - what is refused when a template is read, and with which line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hotdesk/template.h"

static void test_refused(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "a\n{{b", "t:2: tag is not closed\n" },
		{ "{{{b}}", "t:1: tag is not closed\n" },
		{ "\n{{#a}}\nx", "t:2: section is not closed: a\n" },
		{ "{{/a}}", "t:1: no section is open to be closed by a\n" },
		{ "{{#a}}\n{{/b}}", "t:2: another section is open than b\n" },
		{ "{{}}", "t:1: name is missing\n" },
		{ "{{# }}", "t:1: name is missing\n" },
		{ "{{a b}}", "t:1: not a name: a b\n" },
		{ "{{=<%=}}", "t:1: expected two delimiters of 1 to 8 characters, got <%\n" },
		{ "{{=a b c=}}", "t:1: expected two delimiters of 1 to 8 characters, got a b c\n" },
		{ "{{=123456789 %=}}",
		  "t:1: expected two delimiters of 1 to 8 characters, got 123456789 %\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct hd_template *t = NULL;
		struct hd_buf errors = { 0 };

		assert_int_equal(hd_template_parse(&t, "t", hd_slice_of(rows[i].text), &errors),
				 HD_EPARSE);
		assert_string_equal(hd_buf_text(&errors), rows[i].want);
		assert_null(t);
		hd_buf_fini(&errors);
	}
}

static int parse_many(const char *piece, size_t n)
{
	struct hd_buf text = { 0 }, errors = { 0 };
	struct hd_template *t = NULL;
	int err;

	for (size_t i = 0; i < n; i++)
		hd_buf_adds(&text, piece);
	err = hd_template_parse(&t, "t", (struct hd_slice){ text.data, text.len }, &errors);
	assert_true(err == 0 || errors.len > 0);
	hd_template_free(t);
	hd_buf_fini(&text);
	hd_buf_fini(&errors);
	return err;
}

static void test_limits(void **state)
{
	(void)state;
	assert_int_equal(parse_many("{{#a}}", HD_TEMPLATE_DEPTH_MAX), HD_EPARSE); /* not closed */
	assert_int_equal(parse_many("{{#a}}", HD_TEMPLATE_DEPTH_MAX + 1), HD_ELIMIT);
	assert_int_equal(parse_many("{{a}}", HD_TEMPLATE_NODES_MAX), 0);
	assert_int_equal(parse_many("{{a}}", HD_TEMPLATE_NODES_MAX + 1), HD_ELIMIT);
	assert_int_equal(parse_many("x", HD_TEMPLATE_MAX_BYTES), 0);
	assert_int_equal(parse_many("x", HD_TEMPLATE_MAX_BYTES + 1), HD_ELIMIT);
}

static void test_partials_are_named(void **state)
{
	struct hd_template *t = NULL;
	struct hd_buf errors = { 0 };
	struct hd_slice name;
	size_t at = 0;

	(void)state;
	assert_int_equal(
		hd_template_parse(&t, "t", hd_slice_of("a{{>b.cfg}}{{#c}}{{> d }}{{/c}}"), &errors),
		0);
	assert_string_equal(hd_template_name(t), "t");
	assert_true(hd_template_partial(t, &at, &name));
	assert_true(hd_slice_is(name, "b.cfg"));
	assert_true(hd_template_partial(t, &at, &name));
	assert_true(hd_slice_is(name, "d"));
	assert_false(hd_template_partial(t, &at, &name));
	hd_template_free(t);
	hd_buf_fini(&errors);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_partials_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
