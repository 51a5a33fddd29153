/* test_escape.c - values as XML and as lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "hotdesk/template.h"

static void expect(enum hd_template_escape how, const char *text, const char *want)
{
	struct hd_buf out = { 0 };

	hd_template_escape(&out, how, hd_slice_of(text));
	assert_string_equal(hd_buf_text(&out), want);
	hd_buf_fini(&out);
}

static void test_xml(void **state)
{
	(void)state;
	expect(HD_TEMPLATE_XML, "a&b<c>d\"e'f", "a&amp;b&lt;c&gt;d&quot;e&#39;f");
	expect(HD_TEMPLATE_XML, "M\xc3\xbcller \xf0\x9f\x98\x80", "M\xc3\xbcller \xf0\x9f\x98\x80");
	expect(HD_TEMPLATE_XML, "\t\r\n", "&#9;&#13;&#10;");
	expect(HD_TEMPLATE_XML, "\x01x\x1f\x7f", "?x??");
	expect(HD_TEMPLATE_XML, "\xef\xbf\xbe\xef\xbf\xbf\xef\xbf\xbd", "??\xef\xbf\xbd");
}

static void test_line(void **state)
{
	(void)state;
	expect(HD_TEMPLATE_LINE, "a\nb\r\nc\x0b\x0c\td", "a b  c   d");
	/* NEL, line separator, paragraph separator */
	expect(HD_TEMPLATE_LINE, "a\xc2\x85x\xe2\x80\xa8y\xe2\x80\xa9z", "a x y z");
	expect(HD_TEMPLATE_LINE, "\"&<>' = : #", "\"&<>' = : #");
	expect(HD_TEMPLATE_LINE, "\xc3\xa4\xe2\x82\xac", "\xc3\xa4\xe2\x82\xac");
}

/* Overlong, surrogate, cut short, beyond U+10FFFF: never taken over. */
static void test_no_utf8(void **state)
{
	static const char *const bad[] = { "\xc0\x8a",	       "\xed\xa0\x80", "\xe2\x82",
					   "\xf4\x90\x80\x80", "\xff",	       "\x80",
					   "\xe0\x80\x8a" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		for (int how = HD_TEMPLATE_XML; how <= HD_TEMPLATE_LINE; how++) {
			struct hd_buf out = { 0 };

			hd_template_escape(&out, (enum hd_template_escape)how, hd_slice_of(bad[i]));
			assert_true(hd_utf8_is_text((struct hd_slice){ out.data, out.len }));
			hd_buf_fini(&out);
		}
	}
}

static void test_nul(void **state)
{
	struct hd_buf out = { 0 };

	(void)state;
	hd_template_escape(&out, HD_TEMPLATE_LINE, (struct hd_slice){ "a\0b", 3 });
	assert_string_equal(hd_buf_text(&out), "a b");
	hd_buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_xml),
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_no_utf8),
		cmocka_unit_test(test_nul),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
